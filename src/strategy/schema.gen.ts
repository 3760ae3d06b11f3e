/** Generated from openapi.yaml by `npm run gen`. */
export const strategySchema = {
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "description": "A trading strategy, grammar v3. It decides either by rules (`decisions.rules`) or by a model (`nn_inputs`, `model` and `training`, usually over `fuzzy_sets`), never by both. Unknown keys are errors.",
  "additionalProperties": false,
  "required": [
    "name",
    "training_data",
    "indicators",
    "decisions"
  ],
  "properties": {
    "name": {
      "type": "string",
      "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
      "description": "Name of the strategy; letters, digits, `_` and `-`, at most 64 characters, starting with a letter or digit.",
      "examples": [
        "sma_cross"
      ]
    },
    "description": {
      "type": "string",
      "maxLength": 2000,
      "description": "What the strategy does, for people.",
      "examples": [
        "Long while the 20-bar average is above the 50-bar average."
      ]
    },
    "version": {
      "type": "string",
      "enum": [
        "3.0"
      ],
      "description": "Version of the grammar. Write it in quotes, else YAML reads a number. Absent means \"3.0\".",
      "examples": [
        "3.0"
      ]
    },
    "training_data": {
      "$ref": "#/$defs/StrategyTrainingData"
    },
    "indicators": {
      "type": "object",
      "maxProperties": 64,
      "description": "Indicators by id. Rules, fuzzy sets and inputs refer to these ids: letters, digits and `_`, starting with a letter, and none of the words of the rule language (open high low close volume and or not crosses above below true false) or of the sources (hl2 hlc3 ohlc4). `id` alone is the first output, `id.output` any.",
      "propertyNames": {
        "pattern": "^[a-zA-Z][a-zA-Z0-9_]{0,63}$"
      },
      "additionalProperties": {
        "$ref": "#/$defs/StrategyIndicator"
      },
      "examples": [
        {
          "fast": {
            "type": "sma",
            "period": 20
          },
          "slow": {
            "type": "sma",
            "period": 50
          }
        }
      ]
    },
    "fuzzy_sets": {
      "type": "object",
      "minProperties": 1,
      "maxProperties": 64,
      "description": "Fuzzy sets by id: letters, digits and `_`, starting with a letter.",
      "propertyNames": {
        "pattern": "^[a-zA-Z][a-zA-Z0-9_]{0,63}$"
      },
      "additionalProperties": {
        "$ref": "#/$defs/StrategyFuzzySet"
      },
      "examples": [
        {
          "rsi_zone": {
            "indicator": "rsi_14",
            "low": [
              0,
              25,
              45
            ],
            "high": [
              55,
              75,
              100
            ]
          }
        }
      ]
    },
    "nn_inputs": {
      "type": "array",
      "minItems": 1,
      "maxItems": 256,
      "description": "What the model reads. The features are, for each input in order, for each of its timeframes, each term of the fuzzy set: `1h_rsi_zone_low`; or the indicator itself: `1h_adx_14.adx_raw`.",
      "items": {
        "$ref": "#/$defs/StrategyInput"
      },
      "examples": [
        [
          {
            "fuzzy_set": "rsi_zone",
            "timeframes": "all"
          }
        ]
      ]
    },
    "model": {
      "$ref": "#/$defs/StrategyModel"
    },
    "decisions": {
      "$ref": "#/$defs/StrategyDecisions"
    },
    "training": {
      "$ref": "#/$defs/StrategyTraining"
    }
  },
  "examples": [
    {
      "name": "sma_cross",
      "version": "3.0",
      "training_data": {
        "symbols": {
          "mode": "single",
          "symbol": "AAPL"
        },
        "timeframes": {
          "mode": "single",
          "timeframe": "1d"
        }
      },
      "indicators": {
        "fast": {
          "type": "sma",
          "period": 20
        },
        "slow": {
          "type": "sma",
          "period": 50
        }
      },
      "decisions": {
        "rules": {
          "enter_long": "fast crosses above slow",
          "exit_long": "fast crosses below slow"
        }
      }
    }
  ],
  "$defs": {
    "StrategyTrainingData": {
      "type": "object",
      "description": "Which data the strategy was made for; an operation that names none uses these.",
      "additionalProperties": false,
      "required": [
        "symbols",
        "timeframes"
      ],
      "properties": {
        "symbols": {
          "$ref": "#/$defs/StrategySymbols"
        },
        "timeframes": {
          "$ref": "#/$defs/StrategyTimeframes"
        },
        "history_required": {
          "type": "integer",
          "minimum": 0,
          "maximum": 100000,
          "description": "Bars that must lie before the first decision. The first decision waits for this many bars or for the longest look-back, whichever is longer. Features begin where each has a value, whatever this says. Absent means 0.",
          "examples": [
            200
          ]
        }
      },
      "examples": [
        {
          "symbols": {
            "mode": "single",
            "symbol": "AAPL"
          },
          "timeframes": {
            "mode": "single",
            "timeframe": "1d"
          },
          "history_required": 200
        }
      ]
    },
    "StrategySymbols": {
      "type": "object",
      "description": "The symbols. Strategies with rules run the same rules on each.",
      "additionalProperties": false,
      "required": [
        "mode"
      ],
      "properties": {
        "mode": {
          "type": "string",
          "enum": [
            "single",
            "multi_symbol"
          ],
          "description": "`single` takes `symbol`; `multi_symbol` takes `list`.",
          "examples": [
            "single"
          ]
        },
        "symbol": {
          "$ref": "#/$defs/Symbol"
        },
        "list": {
          "type": "array",
          "minItems": 1,
          "maxItems": 100,
          "items": {
            "$ref": "#/$defs/Symbol"
          },
          "description": "The symbols of `multi_symbol`, each once.",
          "examples": [
            [
              "AAPL",
              "MSFT"
            ]
          ]
        }
      },
      "examples": [
        {
          "mode": "single",
          "symbol": "AAPL"
        }
      ]
    },
    "Symbol": {
      "type": "string",
      "description": "Letters, digits and `. _ - = ^`; case is kept. Pairs of ccxt are written with a dash, BTC-USDT.",
      "pattern": "^[A-Za-z0-9^][A-Za-z0-9._=^-]{0,31}$",
      "examples": [
        "AAPL"
      ]
    },
    "StrategyTimeframes": {
      "type": "object",
      "description": "The timeframes. Strategies with rules run on exactly one.",
      "additionalProperties": false,
      "required": [
        "mode"
      ],
      "properties": {
        "mode": {
          "type": "string",
          "enum": [
            "single",
            "multi_timeframe"
          ],
          "description": "`single` takes `timeframe`; `multi_timeframe` takes `list` and `base_timeframe`.",
          "examples": [
            "single"
          ]
        },
        "timeframe": {
          "$ref": "#/$defs/Timeframe"
        },
        "list": {
          "type": "array",
          "minItems": 1,
          "maxItems": 13,
          "items": {
            "$ref": "#/$defs/Timeframe"
          },
          "description": "The timeframes of `multi_timeframe`, at least two, each once.",
          "examples": [
            [
              "1h",
              "1d"
            ]
          ]
        },
        "base_timeframe": {
          "$ref": "#/$defs/Timeframe",
          "description": "The timeframe decisions are made on: one of `list`, by default its first. With `single` it may only repeat `timeframe`.",
          "examples": [
            "1h"
          ]
        }
      },
      "examples": [
        {
          "mode": "single",
          "timeframe": "1d"
        }
      ]
    },
    "Timeframe": {
      "description": "The length of a bar.",
      "enum": [
        "1m",
        "3m",
        "5m",
        "15m",
        "30m",
        "1h",
        "2h",
        "4h",
        "6h",
        "12h",
        "1d",
        "1w",
        "1M"
      ]
    },
    "StrategyIndicator": {
      "type": "object",
      "description": "One indicator: its type and the parameters of that type. Unknown parameters, wrong types and values out of range\nare errors; absent parameters take their defaults. `source` also takes another indicator, by id or id.output.\n\n* `sma` Simple moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `ema` Exponential moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `wma` Weighted moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `dema` Double exponential moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `tema` Triple exponential moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `hma` Hull moving average: `period` (2–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `kama` Kaufman’s adaptive moving average: `period` (1–5000, default 10), `fast_period` (1–5000, default 2), `slow_period` (2–5000, default 30), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `distance_from_ma` Distance from moving average: `period` (1–5000, default 20), `ma_type` (SMA, EMA; default SMA), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `rsi` Relative strength index (Wilder): `period` (2–5000, default 14), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close), `convention` (standard, talib; default standard)\n* `stochastic` Stochastic oscillator: `k_period` (1–5000, default 14), `d_period` (1–5000, default 3), `smooth_k` (1–5000, default 3), `convention` (standard, talib; default standard)\n* `stoch_rsi` Stochastic RSI: `rsi_period` (2–5000, default 14), `stoch_period` (1–5000, default 14), `smooth_k` (1–5000, default 1), `d_period` (1–5000, default 3), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close), `convention` (standard, talib; default standard)\n* `williams_r` Williams %R: `period` (1–5000, default 14), `convention` (standard, talib; default standard)\n* `cci` Commodity channel index: `period` (2–500, default 20)\n* `roc` Rate of change: `period` (1–5000, default 10), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `momentum` Momentum: `period` (1–5000, default 10), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `rvi` Relative vigor index: `period` (1–5000, default 10), `signal_period` (1–50, default 4)\n* `fisher` Fisher transform: `period` (2–5000, default 10)\n* `ultimate_oscillator` Ultimate oscillator: `short_period` (1–5000, default 7), `medium_period` (1–5000, default 14), `long_period` (1–5000, default 28), `convention` (standard, talib; default standard)\n* `macd` Moving average convergence/divergence: `fast_period` (1–5000, default 12), `slow_period` (2–5000, default 26), `signal_period` (1–5000, default 9), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close), `convention` (standard, talib; default standard)\n* `ppo` Percentage price oscillator: `fast_period` (1–5000, default 12), `slow_period` (2–5000, default 26), `signal_period` (1–5000, default 9), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close), `convention` (standard, talib; default standard)\n* `trix` TRIX: `period` (1–5000, default 15), `signal_period` (1–5000, default 9), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `tsi` True strength index: `long_period` (1–5000, default 25), `short_period` (1–5000, default 13), `signal_period` (1–5000, default 7), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `adx` Average directional index (Wilder): `period` (2–5000, default 14), `convention` (standard, talib; default standard)\n* `aroon` Aroon: `period` (1–5000, default 14)\n* `vortex` Vortex indicator: `period` (2–5000, default 14)\n* `supertrend` Supertrend: `period` (1–5000, default 10), `multiplier` (0.01–100, default 3)\n* `parabolic_sar` Parabolic stop and reverse: `initial_af` (0.001–1, default 0.02), `step_af` (0–1, default 0.02), `max_af` (0.001–1, default 0.2)\n* `ichimoku` Ichimoku cloud: `tenkan_period` (1–5000, default 9), `kijun_period` (1–5000, default 26), `senkou_b_period` (1–5000, default 52), `displacement` (1–5000, default 26)\n* `atr` Average true range (Wilder): `period` (1–5000, default 14)\n* `natr` Normalised average true range: `period` (1–5000, default 14)\n* `bollinger_bands` Bollinger bands: `period` (2–5000, default 20), `multiplier` (0.01–10, default 2), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `bollinger_band_width` Bollinger band width: `period` (2–5000, default 20), `multiplier` (0.01–10, default 2), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `keltner` Keltner channels: `period` (1–5000, default 20), `atr_period` (1–5000, default 10), `multiplier` (0.01–10, default 2)\n* `donchian` Donchian channels: `period` (1–5000, default 20), `exclude_current` (true or false, default false)\n* `squeeze_intensity` Squeeze intensity: `bb_period` (2–5000, default 20), `bb_multiplier` (0.01–5, default 2), `kc_period` (1–5000, default 20), `kc_multiplier` (0.01–5, default 2)\n* `realised_volatility` Realised volatility: `period` (2–5000, default 20), `periods_per_year` (1–1000000, default 252)\n* `ulcer_index` Ulcer index: `period` (1–5000, default 14)\n* `mfi` Money flow index: `period` (1–5000, default 14), `convention` (standard, talib; default standard)\n* `obv` On-balance volume: `convention` (standard, talib; default standard)\n* `cmf` Chaikin money flow: `period` (1–5000, default 21)\n* `ad_line` Accumulation/distribution line: no parameters\n* `chaikin_oscillator` Chaikin oscillator: `fast_period` (1–5000, default 3), `slow_period` (2–5000, default 10), `convention` (standard, talib; default standard)\n* `vwap` Volume-weighted average price (rolling): `period` (0–5000, default 20), `use_typical_price` (true or false, default true)\n* `session_vwap` Volume-weighted average price of the session: no parameters\n* `volume_ratio` Volume ratio: `period` (1–5000, default 20)\n* `pivot_points` Pivot points: `method` (classic, fibonacci, camarilla; default classic)\n",
      "additionalProperties": true,
      "required": [
        "type"
      ],
      "properties": {
        "type": {
          "type": "string",
          "description": "Type of the indicator.",
          "examples": [
            "sma"
          ]
        }
      },
      "examples": [
        {
          "type": "rsi",
          "period": 14
        },
        {
          "type": "ema",
          "period": 9,
          "source": "rsi_14"
        }
      ]
    },
    "StrategyFuzzySet": {
      "type": "object",
      "description": "`indicator`, the id of an indicator or `id.output`, and the terms by name, in the order of the features. A term is\n`[a, b, c]`, a triangle, or `{ type, parameters }` with one of these types:\n\n* `triangular` [a, b, c]\n* `trapezoidal` [a, b, c, d]\n* `gaussian` [mean, sigma]\n* `sigmoid` [center, width]\n* `bell` [width, slope, center]\n* `left_shoulder` [a, b]\n* `right_shoulder` [a, b]\n* `singleton` [c]\n\nOr the numbers are fitted: `{ indicator, type: quantile, terms: [low, mid, high], shape }` shares out the values of\nthe training rows about equally among 2 to 32 terms, named lowest first. With k terms the peaks are the quantiles\n(i + ½) / k, and the outer terms are open. `shape` is `triangular` (without it), `trapezoidal` or `gaussian`. Each\ntimeframe is fitted on its own, all symbols together; a model keeps what it was trained with. Rules are never\ntrained, so strategies with rules cannot have such a set.\n",
      "additionalProperties": true,
      "properties": {
        "indicator": {
          "type": "string",
          "description": "Indicator id, or `id.output`.",
          "examples": [
            "rsi_14"
          ]
        }
      },
      "examples": [
        {
          "indicator": "rsi_14",
          "low": [
            0,
            25,
            45
          ],
          "mid": [
            35,
            50,
            65
          ],
          "high": {
            "type": "right_shoulder",
            "parameters": [
              55,
              75
            ]
          }
        },
        {
          "indicator": "natr_14",
          "type": "quantile",
          "terms": [
            "calm",
            "usual",
            "wild"
          ],
          "shape": "triangular"
        }
      ]
    },
    "StrategyInput": {
      "type": "object",
      "description": "One input of the model; exactly one of `fuzzy_set` and `raw_indicator`.",
      "additionalProperties": false,
      "required": [
        "timeframes"
      ],
      "properties": {
        "fuzzy_set": {
          "type": "string",
          "description": "Id of a fuzzy set; every term becomes a feature.",
          "examples": [
            "rsi_zone"
          ]
        },
        "raw_indicator": {
          "type": "string",
          "description": "Id of an indicator, or `id.output`; it becomes one feature.",
          "examples": [
            "adx_14.adx"
          ]
        },
        "timeframes": {
          "type": [
            "string",
            "array"
          ],
          "pattern": "^all$",
          "minItems": 1,
          "items": {
            "$ref": "#/$defs/Timeframe"
          },
          "description": "The word `all`, or a list of timeframes of `training_data`, each once.",
          "examples": [
            "all",
            [
              "1h",
              "1d"
            ]
          ]
        },
        "normalization": {
          "type": "string",
          "enum": [
            "none",
            "zscore",
            "minmax",
            "robust"
          ],
          "description": "Only with `raw_indicator`; fitted on the training part only. `zscore`: by mean and standard deviation; `minmax`: to 0–1; `robust`: by median and interquartile range. Absent means none.",
          "examples": [
            "zscore"
          ]
        }
      },
      "examples": [
        {
          "raw_indicator": "adx_14.adx",
          "timeframes": "all",
          "normalization": "zscore"
        }
      ]
    },
    "StrategyModel": {
      "type": "object",
      "description": "The network. Its inputs are the features, its outputs follow from `decisions.output_format`.",
      "additionalProperties": false,
      "required": [
        "type",
        "architecture"
      ],
      "properties": {
        "type": {
          "type": "string",
          "enum": [
            "mlp",
            "lstm",
            "gru"
          ],
          "description": "`mlp` sees one bar; `lstm` and `gru` see a window of bars of one symbol.",
          "examples": [
            "mlp"
          ]
        },
        "architecture": {
          "$ref": "#/$defs/StrategyArchitecture"
        }
      },
      "examples": [
        {
          "type": "mlp",
          "architecture": {
            "hidden_layers": [
              32,
              16
            ],
            "dropout": 0.2
          }
        }
      ]
    },
    "StrategyArchitecture": {
      "type": "object",
      "description": "`mlp` takes `hidden_layers`, `activation` and `dropout`; `lstm` and `gru` take `sequence_length`, `hidden_size`, `num_layers` and `dropout`.",
      "additionalProperties": false,
      "properties": {
        "hidden_layers": {
          "type": "array",
          "minItems": 1,
          "maxItems": 8,
          "items": {
            "type": "integer",
            "minimum": 1,
            "maximum": 4096
          },
          "description": "Units of each hidden layer. Required by `mlp`.",
          "examples": [
            [
              32,
              16
            ]
          ]
        },
        "activation": {
          "type": "string",
          "enum": [
            "relu",
            "leaky_relu",
            "tanh",
            "sigmoid"
          ],
          "default": "relu",
          "description": "Of the hidden layers.",
          "examples": [
            "relu"
          ]
        },
        "dropout": {
          "type": "number",
          "minimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.2,
          "description": "Share of hidden units left out of each training step.",
          "examples": [
            0.2
          ]
        },
        "sequence_length": {
          "type": "integer",
          "minimum": 2,
          "maximum": 1000,
          "description": "Consecutive bars the network sees at once. Required by `lstm` and `gru`.",
          "examples": [
            24
          ]
        },
        "hidden_size": {
          "type": "integer",
          "minimum": 1,
          "maximum": 2048,
          "default": 64,
          "description": "Units of each recurrent layer.",
          "examples": [
            64
          ]
        },
        "num_layers": {
          "type": "integer",
          "minimum": 1,
          "maximum": 8,
          "default": 2,
          "description": "Recurrent layers.",
          "examples": [
            2
          ]
        }
      },
      "examples": [
        {
          "hidden_layers": [
            32,
            16
          ],
          "dropout": 0.2
        }
      ]
    },
    "StrategyDecisions": {
      "type": "object",
      "description": "How the strategy decides; either `rules`, or the other keys, which turn a model's output into trades.",
      "additionalProperties": false,
      "properties": {
        "rules": {
          "$ref": "#/$defs/StrategyRules"
        },
        "output_format": {
          "type": "string",
          "enum": [
            "classification",
            "regression"
          ],
          "default": "classification",
          "description": "`classification`: buy, hold or sell with a probability; `regression`: the return to expect.",
          "examples": [
            "classification"
          ]
        },
        "confidence_threshold": {
          "type": "number",
          "minimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.5,
          "description": "Least probability of the class that is acted on. Classification only.",
          "examples": [
            0.5
          ]
        },
        "cost_model": {
          "$ref": "#/$defs/StrategyCostModel"
        },
        "position_awareness": {
          "type": "boolean",
          "default": true,
          "description": "Whether a buy while long and a sell while short are ignored.",
          "examples": [
            true
          ]
        },
        "allow_short_from_flat": {
          "type": "boolean",
          "default": false,
          "description": "Whether a sell while flat opens a short position. Classification only; regression always may.",
          "examples": [
            false
          ]
        },
        "filters": {
          "$ref": "#/$defs/StrategyFilters"
        }
      },
      "examples": [
        {
          "rules": {
            "enter_long": "rsi_14 crosses above 30",
            "exit_long": "rsi_14 > 55"
          }
        },
        {
          "output_format": "classification",
          "confidence_threshold": 0.5
        }
      ]
    },
    "StrategyRules": {
      "type": "object",
      "description": "When to trade, without a model. The rules are conditions over indicators (`id` or `id.output`), the bar's open, high, low, close and volume, and numbers, with + - * /, the comparisons < <= > >= == !=, `a crosses above b`, `a crosses below b`, and / or / not and parentheses. Read at the close of each bar; a rule is false while any of its operands is still in its warm-up. At least one way in is needed, and for each a way out: its exit rule, a stop, a target or `max_bars`.",
      "additionalProperties": false,
      "minProperties": 1,
      "properties": {
        "enter_long": {
          "type": "string",
          "minLength": 1,
          "maxLength": 2000,
          "description": "While flat, buy as `entry` says when this is true at a bar's close and `exit_long` is not.",
          "examples": [
            "fast crosses above slow"
          ]
        },
        "exit_long": {
          "type": "string",
          "minLength": 1,
          "maxLength": 2000,
          "description": "While long, sell at the next open when this is true at a bar's close.",
          "examples": [
            "fast crosses below slow"
          ]
        },
        "enter_short": {
          "type": "string",
          "minLength": 1,
          "maxLength": 2000,
          "description": "While flat, sell short as `entry` says when this is true at a bar's close and `exit_short` is not.",
          "examples": [
            "fast crosses below slow"
          ]
        },
        "exit_short": {
          "type": "string",
          "minLength": 1,
          "maxLength": 2000,
          "description": "While short, buy back at the next open when this is true at a bar's close.",
          "examples": [
            "fast crosses above slow"
          ]
        },
        "entry": {
          "$ref": "#/$defs/StrategyEntry"
        },
        "stop_loss": {
          "$ref": "#/$defs/StrategyStopLoss"
        },
        "take_profit": {
          "$ref": "#/$defs/StrategyTakeProfit"
        },
        "max_bars": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "description": "Bars a position is held at most.",
          "examples": [
            20
          ]
        },
        "sizing": {
          "description": "Without it, the operation says.",
          "$ref": "#/$defs/Sizing"
        }
      },
      "examples": [
        {
          "enter_long": "fast crosses above slow",
          "exit_long": "fast crosses below slow"
        },
        {
          "enter_short": "close < lowest.lower",
          "stop_loss": {
            "indicator": "range",
            "multiple": 2,
            "trailing": true
          },
          "take_profit": {
            "percent": 10
          },
          "sizing": {
            "mode": "risk",
            "risk_percent": 1
          },
          "entry": {
            "type": "stop",
            "stop": {
              "indicator": "range",
              "multiple": 0.5
            },
            "good_till": {
              "bars": 3
            }
          }
        }
      ]
    },
    "StrategyEntry": {
      "type": "object",
      "description": "How positions are entered; without it, at the next open. Prices lie at a distance from the close of the bar that\ndecides, known there; while a distance is not known, nothing is entered.\n\n* `market`: at the next open\n* `limit`: at a better price, `limit` below the close to buy and above it to sell short; needs `limit`\n* `stop`: once the price has gone on by `stop`, above the close to buy and below it to sell short; needs `stop`\n* `stop_limit`: as `stop`, at a price no worse than `limit` beyond the stop; needs both\n",
      "additionalProperties": false,
      "required": [
        "type"
      ],
      "properties": {
        "type": {
          "type": "string",
          "enum": [
            "market",
            "limit",
            "stop",
            "stop_limit"
          ],
          "description": "The order that enters.",
          "examples": [
            "stop"
          ]
        },
        "limit": {
          "$ref": "#/$defs/StrategyEntryDistance"
        },
        "stop": {
          "$ref": "#/$defs/StrategyEntryDistance"
        },
        "good_till": {
          "type": [
            "string",
            "object"
          ],
          "pattern": "^(session|cancel)$",
          "default": "cancel",
          "additionalProperties": false,
          "required": [
            "bars"
          ],
          "properties": {
            "bars": {
              "type": "integer",
              "minimum": 1,
              "maximum": 100000,
              "description": "Bars the order waits for, the first being the one after the decision.",
              "examples": [
                3
              ]
            }
          },
          "description": "How long a limit or stop order waits: `{ bars: n }`; `session`, to the end of the session it was placed for; or `cancel`, until its exit rule or the other side's entry rule ends it. Not with `market`.",
          "examples": [
            {
              "bars": 3
            },
            "session"
          ]
        }
      },
      "examples": [
        {
          "type": "stop",
          "stop": {
            "indicator": "range",
            "multiple": 0.5
          },
          "good_till": {
            "bars": 3
          }
        },
        {
          "type": "limit",
          "limit": {
            "percent": 1
          },
          "good_till": "session"
        }
      ]
    },
    "StrategyEntryDistance": {
      "type": "object",
      "description": "Either `percent`, or `indicator` and `multiple`.",
      "additionalProperties": false,
      "properties": {
        "percent": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 100,
          "description": "Distance in percent of the close of the deciding bar.",
          "examples": [
            1
          ]
        },
        "indicator": {
          "type": "string",
          "description": "Id of an indicator, or `id.output`, that is a difference of prices, such as `atr`.",
          "examples": [
            "range"
          ]
        },
        "multiple": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000,
          "description": "How many times the indicator's value the distance is.",
          "examples": [
            0.5
          ]
        }
      },
      "examples": [
        {
          "indicator": "range",
          "multiple": 0.5
        }
      ]
    },
    "StrategyStopLoss": {
      "type": "object",
      "description": "Leaves a position that loses. Either `percent`, or `indicator` and `multiple`: the distance from the entry price is known at the close of the bar that decides the entry. While it is not known, nothing is entered.",
      "additionalProperties": false,
      "properties": {
        "percent": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 100,
          "description": "Distance in percent of the close of the deciding bar.",
          "examples": [
            5
          ]
        },
        "indicator": {
          "type": "string",
          "description": "Id of an indicator, or `id.output`, that is a difference of prices, such as `atr`.",
          "examples": [
            "range"
          ]
        },
        "multiple": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000,
          "description": "How many times the indicator's value the distance is.",
          "examples": [
            2
          ]
        },
        "trailing": {
          "type": "boolean",
          "default": false,
          "description": "Whether the stop follows the price while the position wins.",
          "examples": [
            true
          ]
        }
      },
      "examples": [
        {
          "percent": 5
        },
        {
          "indicator": "range",
          "multiple": 2,
          "trailing": true
        }
      ]
    },
    "StrategyTakeProfit": {
      "type": "object",
      "description": "Leaves a position that wins; written as `stop_loss` is.",
      "additionalProperties": false,
      "properties": {
        "percent": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 10000,
          "description": "Distance in percent of the close of the deciding bar.",
          "examples": [
            10
          ]
        },
        "indicator": {
          "type": "string",
          "description": "Id of an indicator, or `id.output`, that is a difference of prices, such as `atr`.",
          "examples": [
            "range"
          ]
        },
        "multiple": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000,
          "description": "How many times the indicator's value the distance is.",
          "examples": [
            4
          ]
        }
      },
      "examples": [
        {
          "percent": 10
        }
      ]
    },
    "Sizing": {
      "type": "object",
      "required": [
        "mode"
      ],
      "additionalProperties": false,
      "description": "How large an entry is. Each mode needs the keys of its own and takes no other. Whatever is asked for, an entry gets\nno more than the equity at the fill pays, times `leverage`, costs included, on both sides.\n\n* `all_in`: all that the equity pays\n* `fraction`: a share of that; needs `fraction`\n* `units`: a number of shares, coins or contracts; needs `units`\n* `value`: an amount of money; needs `value`\n* `risk`: as many units as lose a share of the equity when the stop is hit; needs `risk_percent`, and a strategy with\n  `stop_loss`\n* `volatility_target`: the share of the equity that is `annual_volatility` ÷ the realised volatility of the last\n  `lookback_bars` closes, so that positions move alike in calm and wild markets; needs both\n* `kelly`: half of Kelly's share of the equity, W − (1 − W) ÷ R over the closed trades so far, where W is the share of\n  winners and R the mean win ÷ the mean loss: at most `cap`, nothing where it is not above 0, and `fraction` until\n  there are `min_trades`; needs all three\n",
      "properties": {
        "mode": {
          "type": "string",
          "enum": [
            "all_in",
            "fraction",
            "units",
            "value",
            "risk",
            "volatility_target",
            "kelly"
          ],
          "description": "How the size is worked out.",
          "examples": [
            "risk"
          ]
        },
        "fraction": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1,
          "description": "Share of the equity, 0–1. With `kelly`, the share until there are enough trades.",
          "examples": [
            0.5
          ]
        },
        "units": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000000000,
          "description": "Shares, coins or contracts.",
          "examples": [
            100
          ]
        },
        "value": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000000000000,
          "description": "Account currency, before costs.",
          "examples": [
            10000
          ]
        },
        "risk_percent": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 100,
          "description": "Percent of the equity that a stopped trade loses, before costs and gaps.",
          "examples": [
            1
          ]
        },
        "annual_volatility": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 10,
          "description": "Standard deviation of a year's returns to aim at, as a fraction: 0.15 is 15 %.",
          "examples": [
            0.15
          ]
        },
        "lookback_bars": {
          "type": "integer",
          "minimum": 2,
          "maximum": 5000,
          "description": "Bars whose closes the realised volatility is measured on.",
          "examples": [
            60
          ]
        },
        "cap": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1,
          "description": "Most of the equity, whatever the formula says; 0–1.",
          "examples": [
            0.25
          ]
        },
        "min_trades": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "description": "Closed trades before the formula is believed.",
          "examples": [
            30
          ]
        }
      },
      "examples": [
        {
          "mode": "risk",
          "risk_percent": 1
        },
        {
          "mode": "volatility_target",
          "annual_volatility": 0.15,
          "lookback_bars": 60
        },
        {
          "mode": "kelly",
          "cap": 0.25,
          "min_trades": 30,
          "fraction": 0.1
        }
      ]
    },
    "StrategyCostModel": {
      "type": "object",
      "description": "Regression trades where the expected return is more than `round_trip_cost` × `min_edge_multiplier`. Required with `regression`, not allowed otherwise.",
      "additionalProperties": false,
      "required": [
        "round_trip_cost",
        "min_edge_multiplier"
      ],
      "properties": {
        "round_trip_cost": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 1,
          "description": "Cost of entry and exit together, as a fraction of the price.",
          "examples": [
            0.003
          ]
        },
        "min_edge_multiplier": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000,
          "description": "How many times the cost a trade must promise.",
          "examples": [
            1.5
          ]
        }
      },
      "examples": [
        {
          "round_trip_cost": 0.003,
          "min_edge_multiplier": 1.5
        }
      ]
    },
    "StrategyFilters": {
      "type": "object",
      "description": "What keeps a decision from becoming a trade.",
      "additionalProperties": false,
      "properties": {
        "min_signal_separation": {
          "type": "integer",
          "minimum": 0,
          "maximum": 100000,
          "default": 4,
          "description": "Least number of bars of the base timeframe between two entries. Exits are never held back.",
          "examples": [
            4
          ]
        }
      },
      "examples": [
        {
          "min_signal_separation": 4
        }
      ]
    },
    "StrategyTraining": {
      "type": "object",
      "description": "How the model is trained. What a key means does not depend on the order of keys; absent keys take their defaults.",
      "additionalProperties": false,
      "required": [
        "labels"
      ],
      "properties": {
        "labels": {
          "$ref": "#/$defs/StrategyLabels"
        },
        "epochs": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "default": 100,
          "description": "Passes over the training part.",
          "examples": [
            50
          ]
        },
        "learning_rate": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 10,
          "default": 0.001,
          "description": "Of the first step.",
          "examples": [
            0.001
          ]
        },
        "batch_size": {
          "type": "integer",
          "minimum": 1,
          "maximum": 65536,
          "default": 32,
          "description": "Rows of one step.",
          "examples": [
            64
          ]
        },
        "optimizer": {
          "$ref": "#/$defs/StrategyOptimizer"
        },
        "loss": {
          "type": "string",
          "enum": [
            "cross_entropy",
            "focal",
            "huber",
            "mse"
          ],
          "description": "Classification takes `cross_entropy` (the default) or `focal`, regression `huber` (the default) or `mse`.",
          "examples": [
            "focal"
          ]
        },
        "focal_gamma": {
          "type": "number",
          "minimum": 0,
          "maximum": 10,
          "default": 2,
          "description": "Only with loss `focal`.",
          "examples": [
            2
          ]
        },
        "huber_delta": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000,
          "default": 0.01,
          "description": "Only with loss `huber`.",
          "examples": [
            0.01
          ]
        },
        "scheduler": {
          "$ref": "#/$defs/StrategyScheduler"
        },
        "early_stopping": {
          "$ref": "#/$defs/StrategyEarlyStopping"
        },
        "gradient_clip": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 1000000,
          "description": "Greatest norm of the gradient. Absent means no limit.",
          "examples": [
            1
          ]
        },
        "class_weights": {
          "type": "string",
          "enum": [
            "none",
            "balanced"
          ],
          "default": "none",
          "description": "Classification only. `balanced`: inverse to how often a class occurs in the training part.",
          "examples": [
            "balanced"
          ]
        },
        "data_split": {
          "$ref": "#/$defs/StrategySplit"
        },
        "seed": {
          "type": "integer",
          "minimum": 0,
          "maximum": 4294967295,
          "default": 42,
          "description": "Of everything random.",
          "examples": [
            42
          ]
        }
      },
      "examples": [
        {
          "epochs": 50,
          "labels": {
            "source": "zigzag",
            "zigzag_threshold": 0.02
          }
        }
      ]
    },
    "StrategyLabels": {
      "type": "object",
      "description": "What the model learns to say. `zigzag` (buy below the next high turn, sell above the next low one, hold near it) and `triple_barrier` (buy when a long position would reach its profit, sell when a short one would, else hold) go with classification, `forward_return` with regression. `regime` learns four kinds of market (trending up, trending down, ranging, volatile) and `context` three (bullish, bearish, neutral): such a model gates others and decides no trade by itself.",
      "additionalProperties": false,
      "required": [
        "source"
      ],
      "properties": {
        "source": {
          "type": "string",
          "enum": [
            "zigzag",
            "forward_return",
            "triple_barrier",
            "regime",
            "context"
          ],
          "description": "Each takes keys of its own.",
          "examples": [
            "triple_barrier"
          ]
        },
        "zigzag_threshold": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.02,
          "description": "zigzag: least size of a turn, as a fraction of the price.",
          "examples": [
            0.02
          ]
        },
        "neutral_fraction": {
          "type": "number",
          "minimum": 0,
          "maximum": 10,
          "default": 0.5,
          "description": "zigzag: hold where less than this part of zigzag_threshold is left to move before the next turn; 0 never holds.",
          "examples": [
            0.5
          ]
        },
        "horizon": {
          "type": "integer",
          "minimum": 1,
          "maximum": 10000,
          "default": 20,
          "description": "forward_return and context: bars ahead. Absent means 20, with context 5.",
          "examples": [
            20
          ]
        },
        "bullish_threshold": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 10,
          "default": 0.005,
          "description": "context: least return over the horizon that is bullish, as a fraction.",
          "examples": [
            0.005
          ]
        },
        "bearish_threshold": {
          "type": "number",
          "minimum": -1,
          "exclusiveMaximum": 0,
          "default": -0.005,
          "description": "context: greatest return over the horizon that is bearish, as a fraction below 0.",
          "examples": [
            -0.005
          ]
        },
        "pt_multiplier": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 100,
          "default": 2,
          "description": "triple_barrier: distance of the profit barrier, in volatilities.",
          "examples": [
            2
          ]
        },
        "sl_multiplier": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 100,
          "default": 1.5,
          "description": "triple_barrier: distance of the loss barrier, in volatilities.",
          "examples": [
            1.5
          ]
        },
        "max_holding_period": {
          "type": "integer",
          "minimum": 1,
          "maximum": 10000,
          "default": 50,
          "description": "triple_barrier: bars until time is up.",
          "examples": [
            50
          ]
        },
        "vol_span": {
          "type": "integer",
          "minimum": 2,
          "maximum": 10000,
          "default": 50,
          "description": "triple_barrier: span of the average that measures volatility, in bars.",
          "examples": [
            50
          ]
        },
        "vol_method": {
          "type": "string",
          "enum": [
            "atr",
            "returns"
          ],
          "default": "atr",
          "description": "triple_barrier: mean range over close, or standard deviation of log returns.",
          "examples": [
            "atr"
          ]
        },
        "compute_weights": {
          "type": "boolean",
          "default": false,
          "description": "triple_barrier: whether rows count by how little their labels overlap.",
          "examples": [
            true
          ]
        },
        "cusum_threshold": {
          "type": "number",
          "minimum": 0,
          "maximum": 1,
          "description": "triple_barrier: only bars at which the summed log return passes this are labelled; 0 derives it from volatility. Absent means every bar.",
          "examples": [
            0.01
          ]
        },
        "cusum_multiplier": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 100,
          "default": 0.5,
          "description": "triple_barrier, with cusum_threshold 0: the threshold in volatilities.",
          "examples": [
            0.5
          ]
        },
        "macro_atr_mult": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 100,
          "default": 3,
          "description": "regime: size of the large turns, in average true ranges.",
          "examples": [
            3
          ]
        },
        "micro_atr_mult": {
          "type": "number",
          "exclusiveMinimum": 0,
          "maximum": 100,
          "default": 1,
          "description": "regime: size of the small turns; below macro_atr_mult.",
          "examples": [
            1
          ]
        },
        "atr_period": {
          "type": "integer",
          "minimum": 2,
          "maximum": 5000,
          "default": 14,
          "description": "regime: length of the average true range, and of the bars ahead whose volatility is compared, in bars.",
          "examples": [
            14
          ]
        },
        "vol_lookback": {
          "type": "integer",
          "minimum": 2,
          "maximum": 10000,
          "default": 120,
          "description": "regime: bars back that volatility is compared with.",
          "examples": [
            120
          ]
        },
        "vol_crisis_threshold": {
          "type": "number",
          "exclusiveMinimum": 1,
          "maximum": 100,
          "default": 2,
          "description": "regime: how many times the usual volatility is volatile.",
          "examples": [
            2
          ]
        },
        "progression_tolerance": {
          "type": "number",
          "minimum": 0,
          "maximum": 1,
          "default": 0.5,
          "description": "regime: least share of rising lows, or falling highs, in a trend.",
          "examples": [
            0.5
          ]
        }
      },
      "examples": [
        {
          "source": "zigzag",
          "zigzag_threshold": 0.02
        },
        {
          "source": "triple_barrier",
          "pt_multiplier": 2,
          "sl_multiplier": 1.5,
          "max_holding_period": 50
        }
      ]
    },
    "StrategyOptimizer": {
      "type": "object",
      "description": "What makes a step of a gradient.",
      "additionalProperties": false,
      "required": [
        "type"
      ],
      "properties": {
        "type": {
          "type": "string",
          "enum": [
            "adam",
            "adamw",
            "sgd",
            "rmsprop"
          ],
          "description": "Absent `optimizer` means adam.",
          "examples": [
            "adam"
          ]
        },
        "weight_decay": {
          "type": "number",
          "minimum": 0,
          "maximum": 1,
          "default": 0,
          "description": "Pull of the weights towards 0.",
          "examples": [
            0.0001
          ]
        },
        "momentum": {
          "type": "number",
          "minimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.9,
          "description": "Of `sgd`, 0.9 when absent, and `rmsprop`, 0 when absent; the others take none.",
          "examples": [
            0.9
          ]
        }
      },
      "examples": [
        {
          "type": "adamw",
          "weight_decay": 0.01
        }
      ]
    },
    "StrategyScheduler": {
      "type": "object",
      "description": "How the learning rate changes from epoch to epoch. Absent means constant.",
      "additionalProperties": false,
      "required": [
        "type"
      ],
      "properties": {
        "type": {
          "type": "string",
          "enum": [
            "step",
            "exponential",
            "cosine",
            "reduce_on_plateau"
          ],
          "description": "`step`: × `factor` every `step_epochs`; `exponential`: × `factor` every epoch; `cosine`: half a wave that would reach 0 after the last epoch; `reduce_on_plateau`: × `factor` after `patience` epochs without a better validation loss.",
          "examples": [
            "cosine"
          ]
        },
        "factor": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 1,
          "description": "0.1 for `step`, 0.95 for `exponential`, 0.5 for `reduce_on_plateau` when absent; not with `cosine`.",
          "examples": [
            0.5
          ]
        },
        "step_epochs": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "default": 30,
          "description": "Only with `step`.",
          "examples": [
            30
          ]
        },
        "patience": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "default": 5,
          "description": "Only with `reduce_on_plateau`.",
          "examples": [
            5
          ]
        }
      },
      "examples": [
        {
          "type": "reduce_on_plateau",
          "factor": 0.5,
          "patience": 5
        }
      ]
    },
    "StrategyEarlyStopping": {
      "type": "object",
      "description": "Ends training that no longer gets better. Absent means all epochs are run; the best one is kept either way.",
      "additionalProperties": false,
      "properties": {
        "metric": {
          "type": "string",
          "enum": [
            "val_loss",
            "val_accuracy",
            "macro_f1",
            "balanced_accuracy",
            "mcc",
            "brier",
            "ece"
          ],
          "default": "val_loss",
          "description": "What should get better on the validation part, and by what the best epoch is chosen. Regression has `val_loss` only.",
          "examples": [
            "val_loss"
          ]
        },
        "patience": {
          "type": "integer",
          "minimum": 1,
          "maximum": 100000,
          "default": 10,
          "description": "Epochs without improvement.",
          "examples": [
            10
          ]
        },
        "min_delta": {
          "type": "number",
          "minimum": 0,
          "maximum": 1,
          "default": 0,
          "description": "What counts as improvement.",
          "examples": [
            0.001
          ]
        }
      },
      "examples": [
        {
          "metric": "val_loss",
          "patience": 10
        }
      ]
    },
    "StrategySplit": {
      "type": "object",
      "description": "Shares of the rows in the order of time, before purging. They add up to 1.",
      "additionalProperties": false,
      "required": [
        "train",
        "validation",
        "test"
      ],
      "properties": {
        "train": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.7,
          "description": "The oldest rows.",
          "examples": [
            0.7
          ]
        },
        "validation": {
          "type": "number",
          "exclusiveMinimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.15,
          "description": "The rows after them.",
          "examples": [
            0.15
          ]
        },
        "test": {
          "type": "number",
          "minimum": 0,
          "exclusiveMaximum": 1,
          "default": 0.15,
          "description": "The newest rows.",
          "examples": [
            0.15
          ]
        },
        "embargo_bars": {
          "type": "integer",
          "minimum": 0,
          "maximum": 100000,
          "description": "Bars of every symbol left out at the start of validation and of test. Absent means 1% of its bars from the first row to the last.",
          "examples": [
            12
          ]
        }
      },
      "examples": [
        {
          "train": 0.7,
          "validation": 0.15,
          "test": 0.15
        },
        {
          "train": 0.6,
          "validation": 0.2,
          "test": 0.2,
          "embargo_bars": 24
        }
      ]
    }
  }
} as const
