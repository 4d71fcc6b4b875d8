// Which files the coverage gate counts: those of src/ as they are written, whichever test runs them; MongoDB's adapter only where there is a server to run it on,
// and not the pages, which no Node runs: test/browser/account.test.ts looks in Chromium for a function of the account page that did not run.
import { readdirSync } from 'node:fs'

const page = ['account.js', 'devices.js', 'forms.js', 'docs/docs.js'].map(name => `browser/${name}`)
const untested = [...page, ...(process.env.TEST_MONGODB_URL ? [] : ['store/mongo-store.ts'])]
const sources = readdirSync('src', { recursive: true }).map(String).filter(name => /^(?!\w+\/dist\/).*\.(ts|js)$/.test(name) && !untested.includes(name)).map(name => `src/${name}`)

export default () => sources
