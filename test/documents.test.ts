// What the documents point to is there: files, headings, and commands of npm.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const DOCUMENTS = ['README.md', 'keys/README.md', 'src/client/README.md', 'src/verifier/README.md', 'examples/frontend/README.md', 'examples/oauth/README.md', 'examples/verify/README.md', ...readdirSync('docs').filter(name => name.endsWith('.md')).map(name => `docs/${name}`)]
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

/** The anchors of a document's headings, as GitHub makes them. */
function anchors (path: string): string[] {
  return [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!.toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'))
}

t.test('every link leads somewhere, and every file and command that is named is there', async t => {
  for (const document of DOCUMENTS) {
    const text = readFileSync(document, 'utf8')
    for (const [, path, anchor] of text.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)) {
      const target = path ? join(dirname(document), path) : document
      t.ok(existsSync(target), `${document}: ${target}`)
      if (anchor) t.ok(anchors(target).includes(anchor), `${document}: ${target}#${anchor}`)
    }
    for (const [, path] of text.matchAll(/`((?:src|test|docs|scripts|examples|bench)\/[\w./-]+)`/g)) t.ok(existsSync(path!), `${document}: ${path}`)
    for (const [, name] of text.matchAll(/npm run (?:--silent )?([a-z]+:?[a-z-]*[a-z])/g)) t.ok(scripts[name!], `${document}: npm run ${name}`)
  }
})
