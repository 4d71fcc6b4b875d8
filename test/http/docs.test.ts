// The documents: OpenAPI equals the routes, and the page that tries them is fenced in.
import { readFileSync } from 'node:fs'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { ROUTES } from '../../src/http/routes.js'
import { testApp } from '../test-app.js'

interface OpenApi { openapi: string, paths: Record<string, Record<string, { responses: Record<string, object>, security?: object[], requestBody?: { required: boolean } }>>, components: { schemas: object } }

t.test('OpenAPI 3.1 has exactly the routes, their guards and their answers', async t => {
  const { app } = await testApp(t)
  const document = (await app.inject('/docs/json')).json<OpenApi>()
  t.match(document.openapi, /^3\.1\./)
  const described = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map(method => `${method.toUpperCase()} ${path}`))
  const routes = [...ROUTES.map(({ method, url }) => `${method} ${url.replace(':id', '{id}')}`), 'GET /.well-known/jwks.json', 'GET /health/live', 'GET /health/ready']
  t.strictSame(new Set(described), new Set(routes))
  for (const route of ROUTES) {
    const { responses, security, requestBody } = document.paths[route.url.replace(':id', '{id}')]![route.method.toLowerCase()]!
    t.ok(responses[route.status], route.url)
    t.strictSame(security, { '/refresh': [{}, { cookie: [] }] }[route.url] ?? (route.guard === 'bearer' ? [{ bearer: [] }] : undefined), route.url)
    t.equal(requestBody?.required, route.body && route.url !== '/refresh', route.url)
    t.ok(responses[429] && responses[503], route.url)
  }
  t.ok(['UserDTO', 'AuthTokenDTO', 'RegistrationDTO', 'ProblemDTO'].every(name => name in document.components.schemas))
})

t.test('the page runs no foreign and no inline script and cannot be framed', async t => {
  const { app } = await testApp(t)
  const page = await app.inject('/docs')
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-security-policy'], /^default-src 'self';[^]*frame-ancestors 'none'/)
  t.notMatch(String(page.headers['content-security-policy']), /unsafe|https?:|upgrade/)
  t.equal(page.headers['x-frame-options'], 'DENY')
  t.equal(page.headers['referrer-policy'], 'no-referrer')
  t.equal(page.headers['x-content-type-options'], 'nosniff')
  t.match(page.body, /use-token\.js/)
})

t.test('the files of the page come from memory, whatever name they are asked by', async t => {
  const { app } = await testApp(t)
  const bundle = await app.inject('/docs/static/swagger-ui-bundle.js')
  t.match(bundle.headers, { 'content-type': 'text/javascript; charset=utf-8', 'content-length': String(bundle.rawPayload.length), 'cache-control': 'no-cache', etag: /^"[\w-]{43}"$/ })
  t.ok(bundle.rawPayload.equals(readFileSync('node_modules/@fastify/swagger-ui/static/swagger-ui-bundle.js')))
  const { etag } = bundle.headers
  for (const tags of [String(etag), `"other", W/${etag}`, '*']) {
    const again = await app.inject({ url: '/docs/static/swagger-ui-bundle.js', headers: { 'if-none-match': tags } })
    t.strictSame([again.statusCode, again.headers.etag, again.body], [304, etag, ''], tags)
  }
  t.equal((await app.inject({ url: '/docs/static/swagger-ui-bundle.js', headers: { 'if-none-match': '"other"' } })).statusCode, 200)
  t.equal((await app.inject({ method: 'HEAD', url: '/docs/static/swagger-ui-bundle.js' })).headers['content-length'], bundle.headers['content-length'])
  t.equal((await app.inject('/docs/static/favicon-32x32.png')).headers['content-type'], 'image/png')
  for (const name of ['nothing.js', '/swagger-ui.css', '..%2fpackage.json', '../package.json', 'csp.json', '']) t.equal((await app.inject(`/docs/static/${name}`)).statusCode, 404, name)
})

t.test('after a log-in the page goes on with the token that it got', async t => {
  const { app } = await testApp(t)
  const script = (await app.inject('/docs/static/theme/use-token.js')).body
  const used: unknown[] = []
  const SwaggerUIBundle = Object.assign((config: object) => ({ config, preauthorizeApiKey: (...token: string[]) => { used.push(token) } }), { presets: ['kept'] })
  const window = { SwaggerUIBundle }
  runInNewContext(script, { window })
  t.strictSame(window.SwaggerUIBundle.presets, ['kept'])
  const { config } = window.SwaggerUIBundle({ url: './json' }) as unknown as { config: { url: string, responseInterceptor: (response: object) => object } }
  t.equal(config.url, './json')
  for (const response of [{ obj: { access_token: 'token' } }, { obj: { status: 'ok' } }, {}]) t.equal(config.responseInterceptor(response), response)
  t.strictSame(used, [['bearer', 'token']])
})

t.test('DOCS=off leaves nothing at /docs', async t => {
  const { app } = await testApp(t, { DOCS: 'off' })
  t.equal((await app.inject('/docs')).statusCode, 404)
  t.equal((await app.inject('/docs/json')).statusCode, 404)
})
