// Which files the coverage gate counts: those of src/, whichever test runs them; MongoDB's adapter only where there is a server to run it on.
import { readdirSync } from 'node:fs'

const untested = process.env.TEST_MONGODB_URL ? [] : ['store/mongo-store.ts']
const sources = readdirSync('src', { recursive: true }).map(String).filter(name => /\.(ts|js)$/.test(name) && !untested.includes(name)).map(name => `src/${name}`)

export default () => sources
