/** Generated from openapi.yaml by `npm run gen`. */
export const strategySchema = {
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "description": "A strategy with rule decisions: a strict subset of the v3 strategy grammar. Unknown keys are errors.",
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
      "description": "Indicators by id. The rules refer to these ids: letters, digits and `_`, starting with a letter, and none of the words of the rule language (open high low close volume and or not crosses above below true false).",
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
    "decisions": {
      "$ref": "#/$defs/StrategyDecisions"
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
          "description": "Bars that must lie before the first decision. The first decision waits for this many bars or for the look-back of the rules, whichever is longer. Absent means 0.",
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
      "description": "The symbols. Rule strategies run on exactly one; `multi_symbol` is refused with a clear error.",
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
          "uniqueItems": true,
          "items": {
            "$ref": "#/$defs/Symbol"
          },
          "description": "The symbols of `multi_symbol`.",
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
      "description": "The timeframes. Rule strategies run on exactly one; `multi_timeframe` is refused with a clear error.",
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
          "uniqueItems": true,
          "items": {
            "$ref": "#/$defs/Timeframe"
          },
          "description": "The timeframes of `multi_timeframe`.",
          "examples": [
            [
              "1h",
              "1d"
            ]
          ]
        },
        "base_timeframe": {
          "$ref": "#/$defs/Timeframe",
          "description": "The timeframe decisions are made on. With `single` it may only repeat `timeframe`.",
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
      "description": "One indicator: its type and the parameters of that type. Unknown parameters, wrong types and values out of range\nare errors; absent parameters take their defaults.\n\n* `sma` Simple moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `ema` Exponential moving average: `period` (1–5000, default 20), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `rsi` Relative strength index (Wilder): `period` (2–5000, default 14), `source` (open, high, low, close, hl2, hlc3, ohlc4, volume; default close)\n* `atr` Average true range (Wilder): `period` (1–5000, default 14)\n",
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
        }
      ]
    },
    "StrategyDecisions": {
      "type": "object",
      "description": "How the strategy decides.",
      "additionalProperties": false,
      "required": [
        "rules"
      ],
      "properties": {
        "rules": {
          "$ref": "#/$defs/StrategyRules"
        }
      },
      "examples": [
        {
          "rules": {
            "enter_long": "rsi_14 crosses above 30",
            "exit_long": "rsi_14 > 55"
          }
        }
      ]
    },
    "StrategyRules": {
      "type": "object",
      "description": "Conditions over indicator ids, the bar's open, high, low, close and volume, and numbers, with + - * /, the comparisons < <= > >= == !=, `a crosses above b`, `a crosses below b`, and / or / not and parentheses. Read at the close of each bar; a rule is false while any of its operands is still in its warm-up.",
      "additionalProperties": false,
      "required": [
        "enter_long",
        "exit_long"
      ],
      "properties": {
        "enter_long": {
          "type": "string",
          "minLength": 1,
          "maxLength": 2000,
          "description": "While flat, buy at the next open when this is true at a bar's close and `exit_long` is not.",
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
        }
      },
      "examples": [
        {
          "enter_long": "fast crosses above slow",
          "exit_long": "fast crosses below slow"
        }
      ]
    }
  }
} as const
