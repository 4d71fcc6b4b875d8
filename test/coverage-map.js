// Which files the coverage gate counts: those of src/ as they are written, whichever test runs them; MongoDB's adapter only where there is a server to run it on,
// and not the pages, which no Node runs: test/browser/account.test.ts looks in Chromium for a function of the account page that did not run.
import { sourceFiles } from '../scripts/source-files.js'

const page = ['account.js', 'devices.js', 'forms.js', 'docs/docs.js'].map(name => `src/browser/${name}`)
const untested = [...page, ...(process.env.TEST_MONGODB_URL ? [] : ['src/store/mongo-store.ts', 'src/store/mongo-clients.ts'])]
const sources = sourceFiles('src').filter(path => /\.(ts|js)$/.test(path) && !untested.includes(path))

export default () => sources
