// What MongoDB says where a write would break a unique index; holds no index.
import type mongoose from 'mongoose'

const DUPLICATE_KEY = 11000

/** Whether a write failed by what is there already. */
export function isDuplicate (error: unknown): boolean {
  return (error as { code?: unknown }).code === DUPLICATE_KEY
}

/** Which of many insertions were of what is there already. Throws whatever else befell one. */
export function duplicatesOf (error: unknown): number[] {
  const { writeErrors } = error as { writeErrors?: mongoose.mongo.WriteError | mongoose.mongo.WriteError[] }
  const refusals = [writeErrors ?? []].flat()
  if (!isDuplicate(error) || !refusals.every(isDuplicate)) throw error
  return refusals.map(({ index }) => index)
}
