// Hands verifiers good and bad tokens of a live Signet; holds no verifier and none of its rules.
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readKeyFile, readManifest } from '../../src/keyring/ring-files.js'
import { badTokens, goodTokens, tokenOf } from './bad-tokens.js'
import { ATTACKER_KEY_ID, attackerJwk } from './jws.js'
import type { Command } from '../program.js'
import { Examination, type Parts } from './examination.js'
import { LiveSignet } from './live-signet.js'
import { StatusFront } from './status-front.js'
import { examineDrips, examineStatuses } from './status-proof.js'
import type { Example } from './verifier-examples.js'
import { build, VerifierProcess, type Build } from './verifier-process.js'

/** What a verifier did, in milliseconds. */
export interface Verdict extends Build { language: string, checked: number, checkMs: number }

/** In which order a verifier is examined, and how long it may take for all, in milliseconds. */
interface Limits { examine: Array<(parts: Parts) => Promise<void>>, checkLimitMs: number }
interface Settings extends Partial<Limits> { examples: Example[], command: Command }
interface Stage { signet: LiveSignet, signingKey: SigningKey }
interface SigningKey { id: string, privateKey: KeyObject }
interface Attacker { url: string, requests: () => number, close: () => void }

const CHECK_LIMIT_MS = 120_000
const UNASKED_LIST = 999

/** Builds the examples side by side, then checks them so, for each waits more than it works, against the Signet that `command` starts. */
export async function proveVerifiers ({ examples, command, examine = [examineTokens, examineStatuses, examineDrips], checkLimitMs = CHECK_LIMIT_MS }: Settings): Promise<Verdict[]> {
  const attempts = await Promise.all(examples.map(async example => ({ example, verdict: { language: example.language, checked: 0, checkMs: 0, ...await build(example) } })))
  const built = attempts.filter(({ verdict }) => verdict.missing.length === 0 && verdict.wrong.length === 0)
  if (built.length > 0) await onStage(command, async stage => { await Promise.all(built.map(async ({ example, verdict }) => { await check(example, verdict, stage, { examine, checkLimitMs }) })) })
  return attempts.map(({ verdict }) => verdict)
}

async function onStage (command: Command, play: (stage: Stage) => Promise<void>): Promise<void> {
  const signet = await LiveSignet.open(command)
  try {
    const signingKey = await readSigningKey(signet)
    await play({ signet, signingKey })
  } finally {
    await signet.close()
  }
}

async function check (example: Example, verdict: Verdict, { signet, signingKey: { id: keyId, privateKey } }: Stage, { examine, checkLimitMs }: Limits): Promise<void> {
  const { pair: { access_token: access, refresh_token: refresh } } = await signet.newUser()
  const { sub } = JSON.parse(Buffer.from(access.split('.')[1]!, 'base64url').toString()) as { sub: string }
  // Of its own, so that it is known who asked.
  const attacker = await openAttacker([keyId, ATTACKER_KEY_ID])
  const front = await StatusFront.open(signet.url)
  const start = performance.now()
  const verifier = new VerifierProcess(example, { jwksUrl: `${front.url}/.well-known/jwks.json`, issuer: signet.issuer }, checkLimitMs)
  const examination = new Examination(verifier, sub, verdict)
  const tokens = { access, refresh, privateKey, attackerUrl: attacker.url, now: Date.now() }
  try {
    for (const each of examine) await each({ examination, front, tokens, issuer: signet.issuer, keyId })
    await verifier.end()
  } catch (error) {
    examination.blame((error as Error).message)
  } finally {
    front.close()
    attacker.close()
  }
  if (attacker.requests() > 0) examination.blame('asked a server of an attacker, to which a token or a list pointed')
  verdict.checkMs = performance.now() - start
}

/** Shows good tokens and bad ones. The bad ones carry a status, for which no verifier should ask. */
export async function examineTokens ({ examination, front, tokens, issuer }: Parts): Promise<void> {
  await examination.accept('a good token', tokens.access)
  for (const [what, token] of Object.entries(goodTokens(tokens))) await examination.accept(`a good token ${what}`, token)
  const access = tokenOf(tokens, { status: { status_list: { idx: 0, uri: `${issuer}/status-lists/${UNASKED_LIST}` } } })
  for (const [what, token] of Object.entries(badTokens({ ...tokens, access }))) await examination.refuse(`a token that ${what}`, token)
  if (front.requests(UNASKED_LIST) > 0) examination.blame('asked for the list of a token that is bad without it')
  await examination.accept('a good token after the bad ones', tokens.access)
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
