// What a person calls a User-Agent, in words of ours alone, for it is whatever somebody typed; holds no page.

const BROWSERS: Array<[RegExp, string]> = [[/\bEdgA?\//, 'Edge'], [/\bOPR\//, 'Opera'], [/\bFirefox\/|\bFxiOS\//, 'Firefox'], [/Chrome\/|\bCriOS\//, 'Chrome'], [/\bSafari\//, 'Safari']]
const SYSTEMS: Array<[RegExp, string]> = [
  [/\biPhone\b/, 'iPhone'], [/\biPad\b/, 'iPad'], [/\bAndroid\b/, 'Android'], [/\bWindows\b/, 'Windows'], [/\bMac OS X\b|\bMacintosh\b/, 'macOS'], [/\bCrOS\b/, 'ChromeOS'], [/\bLinux\b/, 'Linux'],
]

/** The browser and the system, as far as they are known; undefined where neither is. */
export function nameDevice (userAgent: string | null | undefined): string | undefined {
  const names = [BROWSERS, SYSTEMS].flatMap(table => table.find(([pattern]) => pattern.test(userAgent ?? ''))?.[1] ?? [])
  return names.length > 0 ? names.join(', ') : undefined
}
