// Which files the coverage gate counts: those of src/ as they are written, whichever test runs them; MongoDB's adapter only where there is a server to run it on,
// and not the pages, which no Node runs: test/browser/account.test.ts and oauth.test.ts look in Chromium for a function of theirs that did not run.
import { sourceFiles } from '../scripts/source-files.js'

const page = sourceFiles('src/browser')
const untested = [...page, ...(process.env.TEST_MONGODB_URL ? [] : ['src/store/mongo-store.ts', 'src/store/mongo-clients.ts'])]
const sources = sourceFiles('src').filter(path => /\.(ts|js)$/.test(path) && !untested.includes(path))

export default () => sources
