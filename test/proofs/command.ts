// How a proof is asked for: its options, its help and what it ends with; holds no proof.
import { parseArgs, type ParseArgsConfig } from 'node:util'

type Options = NonNullable<ParseArgsConfig['options']>
type Values<T extends Options> = ReturnType<typeof parseArgs<{ options: T }>>['values']

/** What was asked for cannot be done; a message is shown above the help. */
export class WrongUse extends Error {}

const HELP = { help: { type: 'boolean' } } as const

/** Runs a proof with what was typed, and sets the exit code of the process: 0 proved, 1 not, 2 wrong use. */
export async function runProof<T extends Options> (help: string, options: T, prove: (values: Values<T>) => Promise<0 | 1>): Promise<void> {
  try {
    const values = parse({ ...options, ...HELP })
    if (values['help']) process.stdout.write(help)
    else process.exitCode = await prove(values as Values<T>)
  } catch (error) {
    if (!(error instanceof WrongUse)) throw error
    process.stderr.write(`${error.message}\n${help}`)
    process.exitCode = 2
  }
}

function parse (options: Options) {
  try {
    return parseArgs({ options }).values
  } catch (error) {
    throw new WrongUse((error as Error).message)
  }
}

/** How often, as it was typed after --`name`. */
export function readCount (name: string, text: string): number {
  const count = Number(text)
  if (!Number.isInteger(count) || count < 1) throw new WrongUse(`--${name} is a whole number from 1 on.`)
  return count
}

/** Some of these names, as they were typed after --`name` with commas between. */
export function readNames (name: string, text: string, names: string[]): string[] {
  const chosen = text.split(',')
  if (chosen.some(each => !names.includes(each))) throw new WrongUse(`--${name} is some of ${names.join()}.`)
  return chosen
}
