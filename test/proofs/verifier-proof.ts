// Hands verifiers good and bad tokens of a live Signet; holds no verifier and none of its rules.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readKeyFile, readManifest } from '../../src/keyring/ring-files.js'
import { ATTACKER_KEY_ID, attackerJwk, badTokens, goodToken, type Ingredients } from './bad-tokens.js'
import type { Command } from '../program.js'
import { LiveSignet } from './live-signet.js'
import type { Example } from './verifier-examples.js'
import { build, VerifierProcess, type Build } from './verifier-process.js'

/** What a verifier did, in milliseconds. */
export interface Verdict extends Build { language: string, checked: number, checkMs: number }

interface Settings { examples: Example[], command: Command, checkLimitMs?: number }
interface Stage { signet: LiveSignet, signingKey: SigningKey, attacker: Attacker }
interface SigningKey { id: string, privateKey: KeyObject }
interface Attacker { url: string, requests: () => number, close: () => void }

/** A verifier may take so long for all its tokens, in milliseconds. */
const CHECK_LIMIT_MS = 60_000

/** Builds the examples side by side, then checks one after the other against the Signet that `command` starts. */
export async function proveVerifiers ({ examples, command, checkLimitMs = CHECK_LIMIT_MS }: Settings): Promise<Verdict[]> {
  const attempts = await Promise.all(examples.map(async example => ({ example, verdict: { language: example.language, checked: 0, checkMs: 0, ...await build(example) } })))
  const built = attempts.filter(({ verdict }) => verdict.missing.length === 0 && verdict.wrong.length === 0)
  if (built.length > 0) await onStage(command, async stage => { for (const { example, verdict } of built) await check(example, verdict, stage, checkLimitMs) })
  return attempts.map(({ verdict }) => verdict)
}

async function onStage (command: Command, play: (stage: Stage) => Promise<void>): Promise<void> {
  const signet = await LiveSignet.open(command)
  try {
    const signingKey = await readSigningKey(signet)
    const attacker = await openAttacker([signingKey.id, ATTACKER_KEY_ID])
    await play({ signet, signingKey, attacker }).finally(attacker.close)
  } finally {
    await signet.close()
  }
}

async function check (example: Example, verdict: Verdict, { signet, signingKey: { privateKey }, attacker }: Stage, limitMs: number): Promise<void> {
  const { pair: { access_token: access, refresh_token: refresh } } = await signet.newUser()
  const ingredients = { access, refresh, privateKey, attackerUrl: attacker.url, now: Date.now() }
  const requests = attacker.requests()
  const start = performance.now()
  const verifier = new VerifierProcess(example, { jwksUrl: `${signet.url}/.well-known/jwks.json`, issuer: signet.issuer }, limitMs)
  try {
    await present(verifier, ingredients, verdict)
    await verifier.end()
  } catch (error) {
    verdict.wrong.push((error as Error).message)
  }
  if (attacker.requests() > requests) verdict.wrong.push('fetched keys from where a token pointed')
  verdict.checkMs = performance.now() - start
}

async function present (verifier: VerifierProcess, ingredients: Ingredients, verdict: Verdict): Promise<void> {
  const { sub } = JSON.parse(Buffer.from(ingredients.access.split('.')[1]!, 'base64url').toString()) as { sub: string }
  const accept = async (what: string, token: string) => {
    const answer = await verifier.ask(what, token)
    if (answer !== `accepted ${sub}`) verdict.wrong.push(`did not accept ${what}: ${answer}`)
    verdict.checked++
  }
  await accept('a good token', ingredients.access)
  await accept('a good token that was signed here', goodToken(ingredients))
  for (const [what, token] of Object.entries(badTokens(ingredients))) {
    const answer = await verifier.ask(`a token that ${what}`, token)
    if (!answer.startsWith('refused')) verdict.wrong.push(`did not refuse a token that ${what}: ${answer}`)
    verdict.checked++
  }
  await accept('a good token after the bad ones', ingredients.access)
}

async function readSigningKey ({ keysFolder }: LiveSignet): Promise<SigningKey> {
  const active = (await readManifest(keysFolder)).signing.find(key => key.state === 'active')!
  return { id: active.id, privateKey: createPrivateKey(await readKeyFile(keysFolder, active)) }
}

/** Publishes the attacker's key under each of the ids, for verifiers that believe a token where its key is, and counts who asks. */
async function openAttacker (ids: string[]): Promise<Attacker> {
  let requests = 0
  const server = createServer((_request, response) => {
    requests++
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: ids.map(attackerJwk) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/jwks.json`, requests: () => requests, close: () => { server.close() } }
}
