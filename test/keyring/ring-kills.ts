// Kills commands on the key ring before their steps on the disk, some or all of them, and looks for what each leaves; holds no choice of steps.
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { KEY_KINDS, planRotation } from '../../src/core/key-life-cycle.js'
import { changeRing } from '../../src/keyring/ring-changes.js'
import { keysOf, readManifest } from '../../src/keyring/ring-files.js'
import { plainNode } from '../compiled.js'
import { startProgram } from '../program.js'
import { copyFolder, makeOlder, makeRing, openRing } from './rings.js'

/** Loaded into a command, it kills the process before the step on the disk whose number is in STEP. */
const KILLER = `
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
let left = Number(process.env.STEP)
const wrap = (object, name) => {
  const method = object[name].bind(object)
  object[name] = async (...args) => {
    if (left-- === 0) process.kill(process.pid, 'SIGKILL')
    return await method(...args)
  }
}
for (const name of ['open', 'rename', 'rm', 'mkdir', 'chmod']) wrap(fs.promises, name)
const open = fs.promises.open
fs.promises.open = async (...args) => {
  const handle = await open(...args)
  for (const name of ['writeFile', 'sync', 'close']) wrap(handle, name)
  return handle
}
syncBuiltinESMExports()
`
const AT_ONCE = 4

/** A runner of commands on the key ring that are killed before a step; whether this one was. */
function killing (t: Test) {
  const killer = join(t.testdir(), 'killer.mjs')
  writeFileSync(killer, KILLER)
  return async (script: string, args: string[], folder: string, step: number): Promise<boolean> => {
    const command = plainNode(`scripts/${script}.ts`, '--import', pathToFileURL(killer).href)
    const { child, ended } = startProgram([...command, ...args], { cwd: dirname(folder), env: { KEYS_DIR: folder, STEP: String(step) } })
    const { code, err } = await ended
    if (child.signalCode !== 'SIGKILL' && code !== 0) throw new Error(`${script} ended with ${String(code)}: ${err}`)
    return child.signalCode === 'SIGKILL'
  }
}

/** Tries each step of so many, some at once, until one lies beyond the last; how many were killed. */
async function everySteps (stride: number, attempt: (step: number) => Promise<boolean>): Promise<number> {
  for (let first = 0; ; first += AT_ONCE) {
    const killed = await Promise.all(Array.from({ length: AT_ONCE }, async (_, at) => await attempt((first + at) * stride)))
    if (killed.includes(false)) return first + killed.indexOf(false)
  }
}

const keyFiles = (folder: string) => readdirSync(folder).filter(name => /^(signing|refresh|sealing)-/.test(name)).sort()

/** Declares the tests, over each step that is a multiple of `stride`. */
export function killBeforeSteps (stride: number): void {
  const which = stride === 1 ? 'any step' : `one in ${stride} of its steps`
  for (const { name, script, args, age } of [
    { name: 'a rotation', script: 'keys-rotate', args: () => ['--force', '--refresh-secret'], age: () => {} },
    { name: 'the revocation of the active key', script: 'keys-revoke', args: (active: string) => [active], age: () => {} },
    { name: 'the revocation of the active key of a ring of before, which gets its sealing secrets along,', script: 'keys-revoke', args: (active: string) => [active], age: makeOlder },
  ]) {
    t.test(`${name} that is killed at ${which} leaves the old ring or the new, which serves, no lock, and nothing behind`, async t => {
      const run = killing(t)
      const model = join(t.testdirName, 'model')
      await makeRing({ folder: model }, Date.now())
      age(model)
      const old = await readManifest(model)
      const seen = { old: 0, new: 0 }
      const steps = await everySteps(stride, async step => {
        const folder = join(t.testdirName, `ring-${step}`)
        copyFolder(model, folder)
        const isKilled = await run(script, args(old.signing[0]!.id), folder, step)
        const isOld = JSON.stringify(await readManifest(folder)) === JSON.stringify(old)
        await (await openRing({ folder })).assertServes(Date.now())
        if (isKilled) seen[isOld ? 'old' : 'new']++
        else t.notOk(isOld, 'whom nobody kills makes the new ring')
        const next = await changeRing({ folder }, { kind: 'refresh', now: Date.now(), by: 'command', plan: keys => planRotation(keys, Date.now(), { prepublish: 0, urgency: 'regular' }) }, { milliseconds: 0 })
        t.match(next, { steps: [{}, {}, {}] }, `the ring can be changed at once, step ${step}`)
        const manifest = await readManifest(folder)
        t.strictSame(keyFiles(folder), KEY_KINDS.flatMap(kind => keysOf(manifest, kind)).filter(({ state }) => state !== 'revoked').map(({ file }) => file).sort(), `the next change leaves nothing behind, step ${step}`)
        rmSync(folder, { recursive: true })
        return isKilled
      })
      t.ok(steps * stride > 10 && seen.old > 1 && seen.new > 0, `${steps} steps, ${JSON.stringify(seen)}`)
    })
  }

  t.test(`the making of a ring that is killed at ${which} leaves none or a whole one`, async t => {
    const run = killing(t)
    const steps = await everySteps(stride, async step => {
      const folder = join(t.testdirName, `ring-${step}`)
      const isKilled = await run('keys-generate', [], folder, step)
      const isMadeAgain = await makeRing({ folder }, Date.now())
      await (await openRing({ folder })).assertServes(Date.now())
      if (!isKilled) t.notOk(isMadeAgain, 'whom nobody kills makes the ring')
      return isKilled
    })
    t.ok(steps * stride > 20, `${steps} steps`)
  })
}
