/** Names that indicator types had in versions 1 and 2 of the grammar or have elsewhere, in small letters. */
export const formerIndicatorTypes: ReadonlyMap<string, string> = new Map([
  ['simplemovingaverage', 'sma'],
  ['exponentialmovingaverage', 'ema'],
  ['weightedmovingaverage', 'wma'],
  ['williamsr', 'williams_r'],
  ['fishertransform', 'fisher'],
  ['bollingerbands', 'bollinger_bands'],
  ['bollinger', 'bollinger_bands'],
  ['bbands', 'bollinger_bands'],
  ['bollingerbandwidth', 'bollinger_band_width'],
  ['keltnerchannels', 'keltner'],
  ['donchianchannels', 'donchian'],
  ['parabolicsar', 'parabolic_sar'],
  ['psar', 'parabolic_sar'],
  ['adline', 'ad_line'],
  ['volumeratio', 'volume_ratio'],
  ['distancefromma', 'distance_from_ma'],
  ['squeezeintensity', 'squeeze_intensity'],
  ['stoch', 'stochastic'],
])

/** The same of membership types. */
export const formerMembershipTypes: ReadonlyMap<string, string> = new Map([
  ['triangle', 'triangular'],
  ['trapezoid', 'trapezoidal'],
])
