// What the process warns of, for a test to wait for; holds no assertion.

/** The next warning of this name, for the process may give others. */
export async function warning (name: string): Promise<Error> {
  return await new Promise(resolve => {
    const hear = (warned: Error) => {
      if (warned.name !== name) return
      process.off('warning', hear)
      resolve(warned)
    }
    process.on('warning', hear)
  })
}
