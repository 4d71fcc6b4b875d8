// What the recipes for React and Vue share: where there is no answer they say so in a sentence, and ask again.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { ACCOUNT, answer, lose, openBrowser } from './fake-browser.js'

interface Answer { data?: { email: string }, trouble?: string }
interface Recipe { session: { status: string, reason?: string }, client: { close: () => void }, load: (url: string, show: (answer: Answer) => void) => () => void }

const [, RECIPE] = /```js\n(\/\/ session\.js\n[^]*?)```/.exec(readFileSync('examples/frontend/README.md', 'utf8'))!

/** The recipe as it stands, in the page of a browser; but it asks again at once. */
async function openPage (t: Test, url: string): Promise<Recipe> {
  const file = join(t.testdirName, 'session.mjs')
  writeFileSync(file, RECIPE!.replace('https://id.example.com', url).replace('5_000', '5'))
  const recipe = await import(pathToFileURL(file).href) as Recipe
  t.teardown(() => { recipe.client.close() })
  return recipe
}

t.test('while there is no answer there is a sentence, and then what was asked for', async t => {
  const browser = await openBrowser(t)
  await browser.openSession()
  const page = await openPage(t, browser.url)
  const forward = async (forward: () => Promise<Response>) => await forward()
  browser.faults.push(answer(429, { detail: 'Too many requests.' }, { 'retry-after': '60' }), forward, lose, answer(503, '<h1>Bad gateway</h1>'))
  const shown: Answer[] = []
  await new Promise<void>(resolve => {
    const stop = page.load('/user-info', answer => {
      shown.push(answer)
      if (!answer.data) return
      stop()
      resolve()
    })
    t.teardown(stop)
  })
  t.match(shown, [
    { trouble: 'Too many requests.' },
    { trouble: 'The service cannot be reached.' },
    { trouble: 'Signet answered 503.' },
    { data: { email: ACCOUNT.email } },
  ])
  t.strictSame(page.session, { status: 'signed-in' })
})

t.test('where nobody is signed in there is nothing to show, and the session says so', async t => {
  const browser = await openBrowser(t)
  const page = await openPage(t, browser.url)
  const before = page.session
  const shown: Answer[] = []
  t.teardown(page.load('/user-info', answer => { shown.push(answer) }))
  await new Promise<void>(resolve => { browser.openTab().onChange(() => { resolve() }) })
  t.strictSame([before, page.session, shown], [{ status: 'unknown' }, { status: 'signed-out', reason: 'absent' }, []])
})
