// How a listener of the service's is told something; holds nothing to tell.
import { inspect } from 'node:util'

/** Never rejects: what the listener of this name throws, at once or later, is a warning of the process, for it must neither change an answer nor end a service. */
export async function settle (name: string, tell: () => void | Promise<void> | undefined): Promise<void> {
  try {
    await tell()
  } catch (fault) {
    process.emitWarning(`${name} failed: ${shown(fault)}`, 'SignetWarning')
  }
}

// What is thrown may say of itself how it is shown, and fail at that, too.
function shown (fault: unknown): string {
  try {
    return inspect(fault)
  } catch {
    return 'with what cannot be shown'
  }
}
