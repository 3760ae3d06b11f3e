import type { components } from '../../openapi.gen.ts'
import { problems } from '../../problems.ts'
import type { Some } from '../handlers.ts'
import { securityHeaders } from '../security-headers.ts'

const pageHeaders = securityHeaders({
  'default-src': ["'none'"],
  'style-src': ["'unsafe-inline'"],
  'img-src': ["'self'"],
  'frame-ancestors': ["'none'"],
})

/** The pages that the `type` of a problem points at. */
export function problemRoutes(): Some<'getProblemPage'> {
  return {
    getProblemPage: (request, response) => {
      const { code } = request.params
      const page = { code, ...problems[code] } satisfies components['schemas']['ProblemPage']
      response.set('Vary', 'Accept')
      if (request.accepts(['application/json', 'text/html']) === 'text/html')
        response.set(pageHeaders).type('html').send(toHtml(page))
      else response.json(page)
    },
  }
}

/** Every value comes from the table of problems: nothing of the request is shown. */
function toHtml({ code, title, status, retryable, advice }: components['schemas']['ProblemPage']): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${code} – ktrdr</title>
<link rel="icon" href="/favicon.svg">
<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color:#222;background:#fff}code{font-size:1.1em}</style>
</head>
<body>
<p><code>${code}</code> · HTTP ${status} · ${retryable ? 'may pass: try again' : 'trying again will not help'}</p>
<h1>${title}</h1>
<p>${advice.replaceAll('<', '&lt;').replaceAll(/`([^`]*)`/g, '<code>$1</code>')}</p>
<p><a href="/api/v1/docs/">API documentation</a></p>
</body>
</html>
`
}
