import fc from 'fast-check'

// Elsewhere properties are tried on new inputs every time; what is judged is judged on the same ones.
if (process.env.CI !== undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 20_260_101 })
