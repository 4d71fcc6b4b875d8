// Which scopes a client gets of those that it asks for.
import t from 'tap'
import { isOffline, isWithinScope, readScope, scopeForItself, scopeForUser } from '../../src/core/scopes.js'
import type { Client } from '../../src/core/client.js'

const client: Pick<Client, 'grantTypes' | 'scopes'> = { grantTypes: ['authorization_code', 'refresh_token'], scopes: ['read:all', 'write'] }

t.test('a scope is read with each of its tokens once, told apart by case', async t => {
  t.strictSame(readScope('  openid email  openid OpenID '), ['openid', 'email', 'OpenID'])
  for (const none of ['', ' ']) t.strictSame(readScope(none), [])
})

t.test('a client gets for a user what it asks for of the standard scopes and of its record', async t => {
  t.strictSame(scopeForUser('write openid offline_access email profile', client), ['write', 'openid', 'offline_access', 'email', 'profile'])
  for (const [requested, granted] of [['openid admin', ['openid']], ['read', []], ['OPENID Write', []], ['address phone', []], [' ', []]] as const) t.strictSame(scopeForUser(requested, client), granted, requested)
})

t.test('a client that asks for nothing gets what its record has', async t => {
  t.strictSame(scopeForUser(undefined, client), ['read:all', 'write'])
  t.strictSame(scopeForItself(undefined, client), ['read:all', 'write'])
})

t.test('without the grant type refresh_token there is no offline_access', async t => {
  t.strictSame(scopeForUser('openid offline_access', { ...client, grantTypes: ['authorization_code'] }), ['openid'])
})

t.test('a client has for itself what its record has, and nothing of a user', async t => {
  t.strictSame(scopeForItself('openid offline_access write profile', client), ['write'])
})

t.test('a scope is within another where each of its tokens is, and is for longer by offline_access alone', async t => {
  t.ok(isWithinScope([], []))
  t.ok(isWithinScope(['a'], ['b', 'a']))
  t.notOk(isWithinScope(['a', 'c'], ['b', 'a']))
  t.ok(isOffline('openid offline_access'))
  for (const scope of ['', 'openid', 'offline', 'offline_access2', 'Offline_Access']) t.notOk(isOffline(scope))
})
