// Every kind of event as OCSF 1.3 demands it: the members that its schema calls required, and those of which one at least must be there.
import t from 'tap'
import { EVENT_KINDS, EVENTS, eventId, toKept, type SecurityEvent } from '../../src/core/events.js'
import { toOcsf } from '../../src/core/ocsf.js'

type Ocsf = Record<string, unknown> & { class_uid: number, activity_id: number }

const AT = 1_800_000_000_000
/** By the schema: the base event and its classification, and what each class adds. */
const REQUIRED = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid']
const CLASSES: Record<number, { required: string[], oneOf: string[], activities: number[] }> = {
  3001: { required: ['user'], oneOf: [], activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 99] },
  3002: { required: ['user'], oneOf: ['service', 'dst_endpoint'], activities: [0, 1, 2, 3, 4, 5, 99] },
  3004: { required: ['entity'], oneOf: [], activities: [0, 1, 2, 3, 4, 99] },
}
/** Every member that we write, so that none is one that the schema does not know. */
const MEMBERS = [...REQUIRED, 'category_name', 'class_name', 'activity_name', 'severity', 'status_id', 'status', 'status_detail', 'message', 'user', 'entity', 'service', 'session', 'src_endpoint', 'http_request', 'actor', 'unmapped']

function ocsf (event: SecurityEvent): Ocsf {
  return toOcsf(toKept(event, eventId(event.at, 0, new Uint8Array(8))), '0.1.0') as Ocsf
}

t.test('every kind has the members that are required of its class, whatever else it says', async t => {
  for (const kind of EVENT_KINDS) {
    const whole = { kind, at: AT, userId: 'u', clientId: 'c', familyId: 'f', ip: '203.0.113.9', userAgent: 'agent', by: 'ada', details: { cause: 'evicted', key: 'k' } } as const
    for (const event of [ocsf({ kind, at: AT }), ocsf(whole)]) {
      const { required, oneOf, activities } = CLASSES[event.class_uid]!
      for (const member of [...REQUIRED, ...required]) t.not(event[member], undefined, `${kind}: ${member}`)
      t.ok(oneOf.length === 0 || oneOf.some(member => event[member]), `${kind}: one of ${String(oneOf)}`)
      t.ok(activities.includes(event.activity_id), `${kind}: an activity of the class`)
      t.equal(event['type_uid'], event.class_uid * 100 + event.activity_id)
      t.type(event['activity_name'], 'string')
      t.strictSame(Object.keys(event).filter(member => !MEMBERS.includes(member)), [])
      t.match(event, { category_uid: 3, time: AT, severity_id: EVENTS[kind].severity, metadata: { version: '1.3.0', event_code: kind, product: { name: 'Signet', vendor_name: 'Signet', version: '0.1.0' } } })
      const about = (event['user'] ?? event['entity']) as Record<string, unknown>
      t.ok(about['uid'] ?? about['name'], `${kind}: a user or an entity has a name or an id`)
    }
  }
})

t.test('a log-in that failed is told whole', async t => {
  t.strictSame(ocsf({ kind: 'login.failed', at: AT, userId: 'u', ip: '203.0.113.9', userAgent: 'agent', details: { reason: 'wrong_password' } }), {
    metadata: { version: '1.3.0', uid: '01a3185c-5000-7000-8000-000000000000', event_code: 'login.failed', product: { name: 'Signet', vendor_name: 'Signet', version: '0.1.0' } },
    category_uid: 3, category_name: 'Identity & Access Management', class_uid: 3002, class_name: 'Authentication', activity_id: 1, activity_name: 'Logon', type_uid: 300201, time: AT,
    severity_id: 2, severity: 'Low', status_id: 2, status: 'Failure', message: 'login.failed', status_detail: 'wrong_password', user: { uid: 'u', type_id: 1 }, service: { name: 'Signet' },
    src_endpoint: { ip: '203.0.113.9' }, http_request: { user_agent: 'agent' }, unmapped: { reason: 'wrong_password' },
  })
})

t.test('whoever is not known is said to be unknown, a client is a service, and an operator the actor', async t => {
  t.match(ocsf({ kind: 'limit.hit', at: AT }), { user: { name: 'unknown', type_id: 0 }, activity_id: 99, activity_name: 'limit.hit' })
  t.match(ocsf({ kind: 'client.authentication_failed', at: AT, clientId: 'c' }), { user: { uid: 'c', type_id: 4 } })
  t.match(ocsf({ kind: 'client.removed', at: AT, clientId: 'c', by: 'ada' }), { entity: { uid: 'c', name: 'c', type: 'client' }, actor: { user: { name: 'ada' } } })
  t.match(ocsf({ kind: 'keys.revoked', at: AT, details: { key: 'k', key_kind: 'signing' } }), { entity: { uid: 'k', type: 'keys' }, unmapped: { key_kind: 'signing' } })
  t.match(ocsf({ kind: 'users.imported', at: AT, details: { count: 3 } }), { entity: { name: 'users' }, unmapped: { count: 3 } })
})
