import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import type { Express, Response } from 'express'
import express from 'express'
import type { Contract } from './contract.ts'
import { type Headers, securityHeaders } from './security-headers.ts'

const require = createRequire(import.meta.url)

/** Each page may load its own files from this server and nothing else. */
const swaggerHeaders = securityHeaders({
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'font-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"],
})
const redocHeaders = securityHeaders({
  'default-src': ["'none'"],
  'script-src': ["'self'"],
  'style-src': ["'self'", "'unsafe-inline'"],
  'img-src': ["'self'", 'data:'],
  'connect-src': ["'self'"],
  // Its search runs in a worker made from a blob.
  'worker-src': ['blob:'],
  'base-uri': ["'none'"],
  'frame-ancestors': ["'none'"],
})

const swaggerFiles = ['swagger-ui.css', 'swagger-ui-bundle.js'] as const

/** Swagger UI, ReDoc, the document itself, and the icon. Nothing is loaded from elsewhere. */
export function mountDocs(app: Express, contract: Contract): void {
  app.get('/', (_request, response) => response.redirect(302, '/api/v1/docs/'))
  app.get(['/favicon.ico', '/favicon.svg'], (_request, response) => {
    response.set('Cache-Control', 'max-age=86400').type('image/svg+xml').send(icon)
  })
  app.get('/api/v1/openapi.json', (_request, response) => {
    response.set('Cache-Control', 'no-cache').type('application/json').send(contract.json)
  })
  app.get('/api/v1/openapi.yaml', (_request, response) => {
    response.set('Cache-Control', 'no-cache').type('application/yaml').send(contract.yaml)
  })
  mountSwagger(app)
  mountRedoc(app)
}

function mountSwagger(app: Express): void {
  const folder = dirname(require.resolve('swagger-ui-dist/package.json'))
  app.get('/api/v1/docs', (_request, response) => response.redirect(302, '/api/v1/docs/'))
  app.get('/api/v1/docs/', (_request, response) => sendText(response, swaggerHeaders, 'html', swaggerPage))
  app.get('/api/v1/docs/initializer.js', (_request, response) =>
    sendText(response, swaggerHeaders, 'js', swaggerInitializer),
  )
  const files = express.static(folder, { index: false, maxAge: '1h' })
  for (const file of swaggerFiles) {
    app.get(`/api/v1/docs/${file}`, (request, response, next) => {
      request.url = `/${file}`
      files(request, response, next)
    })
  }
}

function mountRedoc(app: Express): void {
  const path = require.resolve('redoc/bundles/redoc.standalone.js')
  let bundle: Promise<string> | null = null
  app.get(['/api/v1/redoc', '/api/v1/redoc/'], (_request, response) =>
    sendText(response, redocHeaders, 'html', redocPage),
  )
  app.get('/api/v1/redoc/redoc.standalone.js', async (_request, response) => {
    bundle ??= readFile(path, 'utf8').then(withoutRemoteLogo)
    response
      .set('Cache-Control', 'max-age=3600')
      .type('js')
      .send(await bundle)
  })
}

/** The only thing the bundle would load from another server. */
const withoutRemoteLogo = (text: string) =>
  text.replaceAll(
    'https://cdn.redoc.ly/redoc/logo-mini.svg',
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E",
  )

function sendText(response: Response, headers: Headers, type: 'html' | 'js', text: string): void {
  response
    .set({ ...headers, 'Cache-Control': 'no-cache' })
    .type(type)
    .send(text)
}

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><rect width="16" height="16" rx="3" fill="#1b2a41"/><path d="M4 3v10M4 5h0M12 3v10M8 5v9" stroke="#7f9fbf" fill="none"/><path d="M3 6h2v5H3zM11 4h2v6h-2z" fill="#4caf7d"/><path d="M7 7h2v5H7z" fill="#e0605e"/></svg>`

const swaggerPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ktrdr API</title>
<link rel="icon" href="/favicon.svg">
<link rel="stylesheet" href="swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<script src="swagger-ui-bundle.js"></script>
<script src="initializer.js"></script>
</body>
</html>
`

const swaggerInitializer = `window.ui = SwaggerUIBundle({
  url: '../openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: true,
  displayRequestDuration: true,
  validatorUrl: null,
  layout: 'BaseLayout',
  presets: [SwaggerUIBundle.presets.apis],
})
`

const redocPage = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>ktrdr API reference</title>
<link rel="icon" href="/favicon.svg">
<style>body{margin:0}</style>
</head>
<body>
<redoc spec-url="/api/v1/openapi.json"></redoc>
<script src="/api/v1/redoc/redoc.standalone.js"></script>
</body>
</html>
`
