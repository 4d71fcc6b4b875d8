// The build as every command of an operator begins with it: nothing where nothing has changed, and never a file of before.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import t from 'tap'

t.test('what has changed is compiled and said, what is gone is gone, and where nothing changed nothing is done', async t => {
  const folder = t.testdir()
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const options = { module: 'NodeNext', target: 'ES2023', lib: ['ES5'], skipLibCheck: true, rootDir: '.', outDir: 'dist', types: [], incremental: true, tsBuildInfoFile: 'dist/.tsbuildinfo' }
  write('tsconfig.json', JSON.stringify({ compilerOptions: options, include: ['src', 'bench'], exclude: ['src/browser', 'src/client', 'src/verifier'] }))
  write('src/verifier/tsconfig.json', JSON.stringify({ compilerOptions: { ...options, tsBuildInfoFile: '../../dist/.verifier.tsbuildinfo' }, include: ['*.ts'] }))
  for (const path of ['src/verifier/a.ts', 'src/one.ts', 'src/two.ts', 'bench/b.ts']) write(path, 'export const number: number = 1\n')
  for (const path of ['src/browser/page.html', 'src/client/client.js', 'src/services/common-passwords.txt', 'package-lock.json']) write(path, 'as it is\n')
  write('src/server.ts', "export { number } from './one.js'\n")
  mkdirSync(join(folder, 'scripts'))
  for (const path of ['scripts/build.js', 'rolldown.config.js']) copyFileSync(path, join(folder, path))
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  write('package.json', '{"type":"module"}')
  const build = () => {
    const { status, stdout } = spawnSync(process.execPath, [join(folder, 'scripts/build.js')], { encoding: 'utf8', env: {} })
    return [status, stdout.replace(/\d+\.\d s/, 'N s')]
  }

  t.strictSame(build(), [0, 'Compiling Signet for the first time…\nCompiled in N s.\n'])
  for (const path of ['dist/src/one.js', 'dist/src/two.js', 'src/verifier/dist/a.js', 'dist/src/browser/page.html', 'dist/src/client/client.js']) t.ok(existsSync(join(folder, path)), path)
  t.strictSame(build(), [0, ''])
  write('src/one.ts', 'export const number: number = 22\n')
  renameSync(join(folder, 'src/two.ts'), join(folder, 'src/three.ts'))
  renameSync(join(folder, 'src/browser/page.html'), join(folder, 'src/browser/other.html'))
  t.strictSame(build(), [0, 'Compiling what has changed…\nCompiled in N s.\n'])
  for (const path of ['dist/src/one.js', 'dist/signet/server.js']) t.match(readFileSync(join(folder, path), 'utf8'), '22')
  for (const path of ['dist/src/two.js', 'dist/src/browser/page.html']) t.notOk(existsSync(join(folder, path)), path)
  for (const path of ['dist/src/three.js', 'dist/src/browser/other.html']) t.ok(existsSync(join(folder, path)), path)
  t.strictSame(build(), [0, ''])
  write('src/one.ts', 'export const number: number = "one"\n')
  const failed = build()
  t.match(failed, [1, 'src/one.ts(1,14): error TS2322'])
  t.strictSame(build(), failed, 'which is not taken for done the next time')
})
