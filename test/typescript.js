// Lets Node run the sources and the tests as they are written; checks no type, which is `npm run typecheck`.
import { register } from 'node:module'

register('./typescript-hooks.js', import.meta.url)
