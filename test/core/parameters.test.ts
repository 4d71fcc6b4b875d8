// Parameters of a query or a form: each once, whatever the spelling, and nothing that cannot be read.
import fc from 'fast-check'
import t from 'tap'
import { NO_PARAMETERS, readParameters, writeQuery, type Parameters } from '../../src/core/parameters.js'

/** All that was read of a text. */
function read (text: string) {
  const parameters = readParameters(text)
  return parameters && { values: Object.fromEntries(parameters.values), lists: Object.fromEntries(parameters.lists), repeated: parameters.repeated }
}

t.test('a parameter is read by its name, decoded as a form encodes it', async t => {
  t.strictSame(read('scope=openid+email%20a%2Bb&state=%E2%82%AC&st%61te2=x=y'), { values: { scope: 'openid email a+b', state: '€', state2: 'x=y' }, lists: {}, repeated: [] })
})

t.test('a parameter without a value is one that is not there, and no other is taken for repeated by it', async t => {
  for (const text of ['', '&', '&&=', 'state', 'state=', 'state=&state&resource=']) t.strictSame(read(text), { values: {}, lists: {}, repeated: [] }, text)
  t.strictSame(read('state=&state=a&state'), { values: { state: 'a' }, lists: {}, repeated: [] })
})

t.test('what came twice is said once, and its first value stands', async t => {
  t.strictSame(read('a=1&b=1&a=2&%61=1'), { values: { a: '1', b: '1' }, lists: {}, repeated: ['a'] })
})

t.test('resource alone may be named more than once', async t => {
  t.strictSame(read('resource=https://a.example&resource=https%3A%2F%2Fb.example'), {
    values: { resource: 'https://a.example' }, lists: { resource: ['https://a.example', 'https://b.example'] }, repeated: [],
  })
  t.strictSame(read('Resource=a&Resource=b')?.repeated, ['Resource'], 'names are told apart by case')
})

t.test('names that objects have of themselves are names like others', async t => {
  const parameters = readParameters('__proto__=1&constructor=2&__proto__=3')!
  t.strictSame([...parameters.values], [['__proto__', '1'], ['constructor', '2']])
  t.strictSame(parameters.repeated, ['__proto__'])
  t.equal(parameters.values.get('toString'), undefined)
})

t.test('a percent sign without two digits, and bytes that are not UTF-8, are not read at all', async t => {
  for (const text of ['a=%', 'a=%4', 'a=%zz', '%=a', 'a=b&c=%ff', 'a=%c0%af', 'a=%ed%a0%80', 'a=%e2%82']) t.equal(readParameters(text), undefined, text)
})

t.test('a query that was written says the same again, but for what is left out', async t => {
  const text = fc.string({ unit: 'grapheme' })
  fc.assert(fc.property(fc.dictionary(text, text.filter(value => value !== '')), fc.array(text.filter(value => value !== '')), (others, resources) => {
    delete others['resource']
    delete others['asked']
    const values = new Map(Object.entries(others))
    if (resources[0] !== undefined) values.set('resource', resources[0])
    const parameters: Parameters = { values, lists: new Map(resources.length > 0 ? [['resource', resources]] : []), repeated: [] }
    t.strictSame(readParameters(writeQuery(parameters, 'asked')), parameters)
    t.strictSame(readParameters(writeQuery({ ...parameters, values: new Map([...values, ['asked', '1']]) }, 'asked')), parameters)
  }))
  t.equal(writeQuery(NO_PARAMETERS, 'asked'), '')
})
