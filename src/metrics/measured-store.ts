// A store whose every operation is timed, by its name and by how it ended; holds no operation.
import type { Meter } from '../core/metrics.js'
import type { Store } from '../store/store.js'

type Operation = (...args: unknown[]) => Promise<unknown>

/** The same store, timed. */
export function measuredStore (store: Store, meter: Meter): Store {
  const operations = new Map<string | symbol, Operation>()
  return new Proxy(store, {
    get (target, name) {
      const known = operations.get(name)
      if (known) return known
      const operation = Reflect.get(target, name) as unknown
      if (typeof operation !== 'function') return operation
      const fresh = timed(String(name), operation.bind(target) as Operation, meter)
      operations.set(name, fresh)
      return fresh
    },
  })
}

function timed (name: string, operation: Operation, meter: Meter): Operation {
  const tell = (outcome: string, began: number) => { meter.time('signet_store_operation_duration_seconds', [name, outcome], (performance.now() - began) / 1000) }
  return async (...args) => {
    const began = performance.now()
    try {
      const answer = await operation(...args)
      tell('ok', began)
      return answer
    } catch (error) {
      tell((error as { code?: string }).code === 'unavailable' ? 'unavailable' : 'failed', began)
      throw error
    }
  }
}
