// What checks a body and writes an answer: Fastify's own, each compiled as it is first needed.
import Fastify from 'fastify'
import t from 'tap'
import { compilersFactory } from '../../../src/http/edge/compilers.js'

t.test('a route answers as with what Fastify compiles by itself, from the first request on', async t => {
  const answers = await Promise.all([{}, { schemaController: { compilersFactory } }].map(async options => {
    const app = Fastify({ ...options, ajv: { customOptions: { allErrors: true } } })
    app.addSchema({ $id: 'Shown', type: 'object', properties: { shown: { type: 'string' } } })
    const body = { type: 'object', required: ['shown', 'count'], properties: { shown: { type: 'string' }, count: { type: 'integer', maximum: 3 } } }
    app.post('/', { schema: { body, response: { 200: { $ref: 'Shown#' } } } }, async request => ({ ...request.body as object, hidden: 'x' }))
    const answers = []
    for (const payload of [{ count: 4 }, { shown: 'a', count: 1 }, { shown: 'b' }, { shown: 'c', count: 2 }]) answers.push(await app.inject({ method: 'POST', url: '/', payload }))
    return answers.map(({ statusCode, body }) => [statusCode, body])
  }))
  t.strictSame(answers[1], answers[0])
  t.match(answers[1], [[400, /'shown'.*must be <= 3/], [200, '{"shown":"a"}'], [400, /'count'/], [200, '{"shown":"c"}']])
})

t.test('nothing is compiled before it is needed', async t => {
  const app = Fastify({ schemaController: { compilersFactory } })
  const schema = { type: 'nonsense' }
  app.post('/body', { schema: { body: schema } }, async () => ({}))
  app.post('/answer', { schema: { response: { 200: schema } } }, async () => ({}))
  await app.ready()
  for (const url of ['/body', '/answer']) t.equal((await app.inject({ method: 'POST', url, payload: {} })).statusCode, 500, url)
})
