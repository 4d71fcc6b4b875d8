// An event as the Open Cybersecurity Schema Framework 1.3 writes it: classes 3001 Account Change, 3002 Authentication and 3004 Entity Management; holds no kind of an event of its own.
import { EVENTS, type KeptEvent } from './events.js'

const VERSION = '1.3.0'
const CATEGORY = 3
const OTHER = 99
const CLASSES = {
  3001: { name: 'Account Change', activities: { 1: 'Create', 2: 'Enable', 3: 'Password Change', 4: 'Password Reset', 5: 'Disable', 6: 'Delete', 10: 'MFA Factor Enable', 11: 'MFA Factor Disable' } },
  3002: { name: 'Authentication', activities: { 1: 'Logon', 2: 'Logoff' } },
  3004: { name: 'Entity Management', activities: { 1: 'Create', 3: 'Update', 4: 'Delete' } },
}
const SEVERITIES = { 1: 'Informational', 2: 'Low', 3: 'Medium', 4: 'High' }
const OUTCOMES = { success: [1, 'Success'], failure: [2, 'Failure'] } as const
const USER = { unknown: 0, person: 1, service: 4 }

/** The event as an object of OCSF; `version` is the product's own. */
export function toOcsf (event: KeptEvent, version: string): object {
  const { id, at, kind, familyId, ip, userAgent, by, details } = event
  const { severity, outcome, ocsf: [classUid, activity] } = EVENTS[kind]
  const { name, activities } = CLASSES[classUid]
  const [statusId, status] = OUTCOMES[outcome]
  return {
    metadata: { version: VERSION, uid: id, event_code: kind, product: { name: 'Signet', vendor_name: 'Signet', version } },
    category_uid: CATEGORY,
    category_name: 'Identity & Access Management',
    class_uid: classUid,
    class_name: name,
    activity_id: activity,
    activity_name: activity === OTHER ? kind : (activities as Record<number, string>)[activity],
    type_uid: classUid * 100 + activity,
    time: at,
    severity_id: severity,
    severity: SEVERITIES[severity],
    status_id: statusId,
    status,
    message: kind,
    ...(details && (details.cause ?? details.reason) && { status_detail: details.cause ?? details.reason }),
    ...(classUid === 3004 ? { entity: entityOf(event) } : { user: userOf(event) }),
    ...(classUid === 3002 && { service: { name: 'Signet' }, ...(familyId !== undefined && { session: { uid: familyId } }) }),
    ...(ip !== undefined && { src_endpoint: { ip } }),
    ...(userAgent !== undefined && { http_request: { user_agent: userAgent } }),
    ...(by !== undefined && { actor: { user: { name: by, type_id: USER.unknown } } }),
    ...unmappedOf(event),
  }
}

// A client that proves who it is, is a user here; and whoever it was that failed or came too often is one, too.
function userOf ({ userId, clientId }: KeptEvent): object {
  if (userId !== undefined) return { uid: userId, type_id: USER.person }
  return clientId === undefined ? { name: 'unknown', type_id: USER.unknown } : { uid: clientId, type_id: USER.service }
}

function entityOf ({ kind, clientId, details }: KeptEvent): object {
  const uid = clientId ?? details?.key
  return { name: uid ?? kind.split('.')[0], type: kind.split('.')[0], ...(uid !== undefined && { uid }) }
}

function unmappedOf ({ clientId, details }: KeptEvent): object {
  const unmapped = { ...(clientId !== undefined && { client_id: clientId }), ...details }
  return Object.keys(unmapped).length > 0 ? { unmapped } : {}
}
