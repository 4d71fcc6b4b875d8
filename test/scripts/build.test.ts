// The build as every command of an operator begins with it: nothing where nothing has changed, and never a file of before.
import { execFile, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'

/** A project as ours is laid out, with next to nothing in it. */
function project (t: Test) {
  const folder = t.testdir()
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const options = { module: 'NodeNext', target: 'ES2023', lib: ['ES5'], skipLibCheck: true, rootDir: '.', outDir: 'dist', types: [], incremental: true, tsBuildInfoFile: 'dist/.tsbuildinfo' }
  write('tsconfig.json', JSON.stringify({ compilerOptions: options, include: ['src', 'bench'], exclude: ['src/browser', 'src/client', 'src/verifier'] }))
  write('src/verifier/tsconfig.json', JSON.stringify({ compilerOptions: { ...options, tsBuildInfoFile: '../../dist/.verifier.tsbuildinfo' }, include: ['*.ts'] }))
  for (const path of ['src/verifier/a.ts', 'src/one.ts', 'src/two.ts', 'bench/b.ts']) write(path, 'export const number: number = 1\n')
  for (const path of ['src/browser/page.html', 'src/client/client.js', 'src/services/common-passwords.txt', 'src/mail/templates/layout.html', 'package-lock.json']) write(path, 'as it is\n')
  write('src/server.ts', "export { number } from './one.js'\n")
  mkdirSync(join(folder, 'scripts'))
  for (const path of ['scripts/build.js', 'scripts/source-files.js', 'rolldown.config.js']) copyFileSync(path, join(folder, path))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  write('package.json', '{"type":"module"}')
  const build = () => {
    const { status, stdout } = spawnSync(process.execPath, [join(folder, 'scripts/build.js')], { encoding: 'utf8', env: {} })
    return [status, stdout.replace(/\d+\.\d s/, 'N s')]
  }
  return { folder, write, build, built: (path: string) => readFileSync(join(folder, path), 'utf8') }
}

const ALL = [0, 'Compiling Signet…\nCompiled in N s.\n']
const CHANGED = [0, 'Compiling what has changed…\nCompiled in N s.\n']
const NOTHING = [0, '']

t.test('what has changed is compiled and said, what is gone is gone, and where nothing changed nothing is done', async t => {
  const { folder, write, build, built } = project(t)
  t.strictSame(build(), ALL)
  for (const path of ['dist/src/one.js', 'dist/src/two.js', 'src/verifier/dist/a.js', 'dist/src/browser/page.html', 'dist/src/client/client.js']) t.ok(existsSync(join(folder, path)), path)
  t.strictSame(build(), NOTHING)
  write('src/one.ts', 'export const number: number = 22\n')
  t.strictSame(build(), CHANGED)
  for (const path of ['dist/src/one.js', 'dist/signet/server.js']) t.match(built(path), '22', path)
  for (const [source, other] of [['src/two.ts', 'src/three.ts'], ['src/browser/page.html', 'src/browser/other.html'], ['src/verifier/a.ts', 'src/verifier/b.ts']] as const) renameSync(join(folder, source), join(folder, other))
  t.strictSame(build(), ALL)
  for (const path of ['dist/src/two.js', 'dist/src/browser/page.html', 'src/verifier/dist/a.js']) t.notOk(existsSync(join(folder, path)), path)
  for (const path of ['dist/src/three.js', 'dist/src/browser/other.html', 'src/verifier/dist/b.js']) t.ok(existsSync(join(folder, path)), path)
  t.strictSame(build(), NOTHING)
  write('src/one.ts', 'export const number: number = "one"\n')
  for (const time of ['once', 'again']) t.match(build(), [1, 'src/one.ts(1,14): error TS2322'], `what failed is not taken for done: ${time}`)
})

t.test('a source that is older than the last build is compiled, and what was taken away of that, or left half written by one that was killed, is built anew', async t => {
  const { folder, write, build, built } = project(t)
  t.strictSame(build(), ALL)
  for (const path of ['src/one.ts', 'src/verifier/a.ts']) {
    write(path, 'export const number: number = 22\n')
    utimesSync(join(folder, path), 1_000_000_000, 1_000_000_000)
  }
  t.strictSame(build(), CHANGED)
  for (const path of ['dist/src/one.js', 'dist/signet/server.js', 'src/verifier/dist/a.js']) t.match(built(path), '22', path)

  // What was taken away of a build.
  for (const path of ['dist/src/one.js', 'dist/signet', 'src/verifier/dist']) {
    rmSync(join(folder, path), { recursive: true })
    t.strictSame(build(), ALL, path)
    t.ok(existsSync(join(folder, path)), path)
  }
  // A build that is killed has no stamp any more, and may have written something of sources that were put back since.
  rmSync(join(folder, 'dist/.built'))
  write('dist/src/one.js', 'export const number = 2')
  t.strictSame(build(), ALL)
  t.match(built('dist/src/one.js'), '22')
})

t.test('what a build no longer makes stays for a server that runs of the one before, until the next', t => {
  const { folder, write, build } = project(t)
  const loaded = (name: string) => {
    write('src/server.ts', `// @ts-nocheck\nexport const late = async () => await import('./${name}.js')\n`)
  }
  const chunks = () => ['one.js', 'two.js', 'server.js'].filter(name => existsSync(join(folder, 'dist/signet', name)))
  loaded('one')
  t.strictSame([build(), chunks()], [ALL, ['one.js', 'server.js']])
  loaded('two')
  t.strictSame([build(), chunks()], [CHANGED, ['one.js', 'two.js', 'server.js']])
  write('src/server.ts', 'export const late = 1\n')
  renameSync(join(folder, 'src/one.ts'), join(folder, 'src/three.ts'))
  t.strictSame([build(), chunks()], [ALL, ['two.js', 'server.js']], 'and where everything is compiled anew')
  t.strictSame([build(), chunks()], [NOTHING, ['two.js', 'server.js']])
  write('src/server.ts', 'export const late = 2\n')
  t.strictSame([build(), chunks()], [CHANGED, ['server.js']])
  t.end()
})

t.test('of commands that are given at once one compiles, and the others wait for it', async t => {
  const { folder } = project(t)
  const answers = await Promise.all([1, 2, 3].map(async () => await promisify(execFile)(process.execPath, [join(folder, 'scripts/build.js')], { env: {} })))
  t.strictSame(answers.map(({ stdout }) => stdout.slice(0, 9)).sort(), ['', '', 'Compiling'])
})

t.test('without the compiler what was built goes on, and what has changed since is said, and stays as it was', async t => {
  const { folder, write, build, built } = project(t)
  t.strictSame(build(), ALL)
  rmSync(join(folder, 'node_modules'))
  // As npm does when it takes the compiler away.
  write('package-lock.json', 'as it is\n')
  t.strictSame(build(), NOTHING)
  write('src/one.ts', 'export const number: number = 22\n')
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'scripts/build.js')], { encoding: 'utf8', env: {} })
  t.strictSame([status, stdout, stderr], [1, '', 'What has changed cannot be compiled, for the compiler is not installed. Run `npm ci && npm run build`.\n'])
  t.match(built('dist/signet/server.js'), 'number = 1')
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  t.strictSame(build(), CHANGED)
})

t.test('where this user may not write it is said in a sentence', async t => {
  const { folder } = project(t)
  writeFileSync(join(folder, 'dist'), 'a file')
  const { status, stderr } = spawnSync(process.execPath, [join(folder, 'scripts/build.js')], { encoding: 'utf8', env: {} })
  t.equal(status, 1)
  t.match(stderr, /^What has changed cannot be compiled: .*\. Run `npm run build` as a user who may write to the folder dist\.\n$/)
})
