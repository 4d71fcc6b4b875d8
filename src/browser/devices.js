// The lists of devices and of applications on the account page; holds no request.

/** @typedef {{ id: string, current: boolean, created_at: string, last_used_at: string, expires_at: string, user_agent: string | null, ip: string, client: { id: string, name: string | null, scope: string } | null }} Device */

/** @type {Array<[RegExp, string]>} */
const BROWSERS = [[/\bEdgA?\//, 'Edge'], [/\bOPR\//, 'Opera'], [/\bFirefox\/|\bFxiOS\//, 'Firefox'], [/Chrome\/|\bCriOS\//, 'Chrome'], [/\bSafari\//, 'Safari']]
/** @type {Array<[RegExp, string, string]>} */
const SYSTEMS = [
  [/\biPhone\b/, 'iPhone', 'phone'], [/\biPad\b/, 'iPad', 'tablet'], [/\bAndroid\b.*\bMobile\b/, 'Android', 'phone'], [/\bAndroid\b/, 'Android', 'tablet'],
  [/\bWindows\b/, 'Windows', 'laptop'], [/\bMac OS X\b|\bMacintosh\b/, 'macOS', 'laptop'], [/\bCrOS\b/, 'ChromeOS', 'laptop'], [/\bLinux\b/, 'Linux', 'laptop'],
]

/** What a person calls a User-Agent. @param {string | null} userAgent */
export function nameDevice (userAgent) {
  const text = userAgent ?? ''
  const browser = BROWSERS.find(([pattern]) => pattern.test(text))?.[1]
  const [, system, icon] = SYSTEMS.find(([pattern]) => pattern.test(text)) ?? []
  if (browser && system) return { name: `${browser} on ${system}`, icon: icon ?? 'laptop' }
  const program = /^[\w.-]{1,40}/.exec(text)?.[0]
  return { name: browser ?? program ?? 'Unknown device', icon: 'program' }
}

const STEPS = /** @type {const} */ ([['year', 31_536_000], ['month', 2_592_000], ['week', 604_800], ['day', 86_400], ['hour', 3_600], ['minute', 60]])
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'long', timeStyle: 'short' })
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium' })

/** @param {string} instant @param {number} now in milliseconds */
export function ago (instant, now) {
  const seconds = Math.max(0, (now - Date.parse(instant)) / 1000)
  const step = STEPS.find(([, length]) => seconds >= length)
  return step ? relative.format(-Math.floor(seconds / step[1]), step[0]) : 'just now'
}

/** @param {string} instant */
export function onDay (instant) {
  return date.format(new Date(instant))
}

/** So many devices are shown at first; one more is no reason to fold. */
const FOLDED = 5

/**
 * What a list is shown in: the button that unfolds it, what signs a device or an application out, and what a person reads of a scope.
 * @typedef {{ list: HTMLElement, more: HTMLElement, leave: (device: Device, name: string, row: HTMLElement) => void, scopeWords: Map<string, string> }} Place
 */

/** Shows the devices, this one first; of many, the first few until all are asked for. @param {Place} place @param {Device[]} devices @param {number} now in milliseconds */
export function showDevices (place, devices, now) {
  const { list, more } = place
  const ordered = [...devices].sort((one, other) => Number(other.current) - Number(one.current))
  const focused = /** @type {HTMLElement | null} */ (document.activeElement)?.dataset['device']
  list.replaceChildren(...ordered.map(device => rowOf(device, now, place)))
  fold(list, more)
  // The list is renewed under the hand of whoever walks through it by keyboard.
  if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-device="${window.CSS.escape(focused)}"]`))?.focus()
}

/** Folds the list, or shows it whole where that was asked for. @param {HTMLElement} list @param {HTMLElement} more */
export function fold (list, more) {
  const rows = /** @type {HTMLElement[]} */ ([...list.children])
  const isWhole = more.ariaExpanded === 'true'
  const rest = rows.length > FOLDED + 1 ? rows.slice(FOLDED) : []
  for (const row of rows) row.hidden = !isWhole && rest.includes(row)
  more.hidden = rest.length === 0
  more.textContent = isWhole ? 'Show fewer' : `Show ${rest.length} more`
}

/** What a row is called, what it shows, and what its button says. @param {Device} device */
function describe ({ client, user_agent: userAgent }) {
  const device = nameDevice(userAgent)
  if (!client) return { ...device, facts: [], offer: 'Sign out', of: device.name }
  const name = client.name ?? 'An application that is no longer registered'
  return { name, icon: 'application', facts: [device.name], offer: 'Take back', of: `the access of ${name}` }
}

/** @param {Device} device @param {number} now @param {Place} place */
function rowOf (device, now, { leave, scopeWords }) {
  const { name, icon, facts, offer, of } = describe(device)
  const row = element('li', 'device')
  const title = element('p', 'device-name')
  title.append(element('bdi', '', name))
  const used = timeOf(device.last_used_at, ago(device.last_used_at, now))
  const text = element('div', 'device-text')
  text.append(title, factsOf([['Last used ', used], ...facts.map(fact => [fact]), [device.ip], [`Since ${onDay(device.created_at)}`]]))
  if (device.client) text.append(factsOf(device.client.scope.split(' ').map(scope => [scopeWords.get(scope) ?? `Use “${scope}”`])))
  row.append(iconOf(icon), text)
  // This session is ended at the top of the page.
  if (device.current) title.append(' ', element('span', 'badge', 'This device'))
  else row.append(buttonOf(device, `${offer} ${of}, last used ${ago(device.last_used_at, now)}`, offer, () => { leave(device, name, row) }))
  return row
}

/** @param {string} instant @param {string} text */
export function timeOf (instant, text) {
  const time = element('time', '', text)
  time.setAttribute('datetime', instant)
  time.title = exact.format(new Date(instant))
  return time
}

/** @param {Array<Array<string | Node>>} facts */
export function factsOf (facts) {
  const [lines, line] = [element('div', 'facts'), element('p')]
  for (const parts of facts) {
    const fact = element('span')
    fact.append(...parts)
    line.append(fact, ' ')
  }
  lines.append(line)
  return lines
}

/** @param {Device} device @param {string} label @param {string} text @param {() => void} leave */
function buttonOf ({ id }, label, text, leave) {
  const button = /** @type {HTMLButtonElement} */ (element('button', 'quiet', text))
  button.type = 'button'
  button.dataset['device'] = id
  button.ariaLabel = label
  button.addEventListener('click', leave)
  return button
}

/** @param {string} name @param {string} [className] @param {string} [text] */
export function element (name, className = '', text = '') {
  const made = document.createElement(name)
  if (className) made.className = className
  made.textContent = text
  return made
}

/** @param {string} icon */
function iconOf (icon) {
  const space = 'http://www.w3.org/2000/svg'
  const [svg, use] = [document.createElementNS(space, 'svg'), document.createElementNS(space, 'use')]
  svg.setAttribute('class', 'icon')
  svg.setAttribute('aria-hidden', 'true')
  use.setAttribute('href', `#icon-${icon}`)
  svg.append(use)
  return svg
}
