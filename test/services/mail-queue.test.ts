// Mails that wait: who is told of what, what is tried again and how often, what is dropped, and what becomes of them at a stop.
import t, { type Test } from 'tap'
import type { SecurityEvent } from '../../src/core/events.js'
import { LetterRefused, type Letter } from '../../src/core/letters.js'
import { readTemplates } from '../../src/mail/templates.js'
import { smtpSender } from '../../src/mail/smtp.js'
import { Tally } from '../../src/metrics/tally.js'
import { MAIL_SIZES, MAIL_TIMES, MailQueue, type Addressed, type MailQueueParts } from '../../src/services/mail-queue.js'
import { openHouse } from '../mail/smtp-house.js'

const NOW = 1_800_000_000_000
const ALWAYS = { issuer: 'id.example', account: 'https://id.example/account' }
const TIMES = { pauses: [1, 2, 4], patience: 20_000, farewell: 20_000 }

/** A mail to somebody, of whom there are as many as one likes. */
function letterTo (to: string, more: Partial<Addressed> = {}): Addressed {
  return { kind: 'new-device', to, userId: 'ada', values: { at: 'now', ip: '::1', device: '–' }, ...more }
}

/** A queue that sends by what `send` does, and what came of it. */
function openQueue (t: Test, send: (to: string, letter: Letter, attempt: number) => Promise<void>, parts: Partial<MailQueueParts> = {}) {
  const events: SecurityEvent[] = []
  const reports: unknown[] = []
  const refusals: string[] = []
  const clock = { now: NOW }
  const meter = new Tally()
  const sent: Array<{ to: string, letter: Letter }> = []
  let attempts = 0
  const waiting: Array<() => void> = []
  const look = () => { for (const again of waiting.splice(0)) again() }
  const queue = new MailQueue({
    templates: readTemplates('', 'en'), always: ALWAYS, clock: () => clock.now, meter, times: TIMES,
    record: event => {
      events.push(event)
      setImmediate(look)
    },
    report: err => { reports.push(err) },
    refused: ({ message }) => { refusals.push(message) },
    send: async (to, letter) => {
      setImmediate(look)
      await send(to, letter, ++attempts)
      sent.push({ to, letter })
      setImmediate(look)
    },
    ...parts,
  })
  // What waits keeps no process from its end; that of the tests goes on until they have seen it.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(async () => {
    clearInterval(alive)
    await queue.stop()
  })
  const counted = () => Object.fromEntries(Object.entries(meter.samples()['signet_mails_total']!).map(([outcome, [figure]]) => [outcome, figure]).filter(([, figure]) => figure !== 0))
  const length = () => Object.values(meter.samples()['signet_mail_queue_length']!)[0]![0]
  /** Waits until it is so. */
  const until = async (isSo: () => boolean) => { while (!isSo()) await new Promise<void>(resolve => { waiting.push(resolve) }) }
  return { queue, events, reports, refusals, clock, sent, counted, length, until, attempts: () => attempts }
}

t.test('a mail is written for whom it is found to be, and sent once', async t => {
  const { queue, sent, until, counted, events, length } = openQueue(t, async () => {})
  queue.add('known', async now => letterTo('ada@example.com', { values: { at: String(now), ip: '192.0.2.7', device: 'Firefox' } }))
  t.equal(length(), 1)
  await until(() => length() === 0)
  t.match(sent, [{ to: 'ada@example.com', letter: { subject: 'New sign-in to your account', text: new RegExp(`id\\.example [^]*When: ${NOW}\nFrom: 192\\.0\\.2\\.7\nWith: Firefox\n[^]*https://id\\.example/account`) } }])
  queue.add('known', async () => undefined)
  await queue.stop()
  t.strictSame([sent.length, counted(), events], [1, { sent: 1 }, []])
})

t.test('nothing is done for a mail before whoever asks for it has gone on', async t => {
  const { queue } = openQueue(t, async () => {})
  let isAsked = false
  queue.add('anybody', async () => { isAsked = true; return undefined })
  await Promise.resolve()
  t.notOk(isAsked)
})

t.test('a mail that could not be sent is tried again, as it was, after pauses that grow, and what was wrong is told once', async t => {
  t.ok(MAIL_TIMES.pauses.every((pause, at) => at === 0 || pause > MAIL_TIMES.pauses[at - 1]!))
  let asked = 0
  const { queue, reports, sent, until, counted, attempts } = openQueue(t, async (_to, _letter, attempt) => { if (attempt < 4) throw new Error(`down ${attempt}`) })
  queue.add('known', async () => {
    asked++
    return letterTo('ada@example.com')
  })
  await until(() => attempts() === 1)
  t.equal(queue.isFailing, true)
  await until(() => sent.length === 1)
  t.equal(queue.isFailing, false)
  t.strictSame([asked, attempts(), counted(), reports.map(err => (err as Error | undefined)?.message)], [1, 4, { sent: 1, retried: 3 }, ['down 1', undefined]])
})

t.test('whom it is for is asked again where the store was away, which is not the mail server\'s fault', async t => {
  let asked = 0
  const { queue, sent, until, reports } = openQueue(t, async () => {})
  queue.add('known', async () => {
    if (++asked < 3) throw new Error('unavailable')
    return letterTo('ada@example.com')
  })
  await until(() => sent.length === 1)
  t.strictSame([asked, queue.isFailing, reports], [3, false, []])
})

t.test('after the last pause a mail is given up, and said to be', async t => {
  const { queue, events, until, counted } = openQueue(t, async () => { throw new Error('down') })
  queue.add('known', async () => letterTo('ada@example.com'))
  await until(() => events.length === 1)
  t.strictSame(events, [{ kind: 'mail.failed', at: NOW, userId: 'ada', details: { reason: 'given_up', mail: 'new-device' } }])
  queue.add('known', async () => { throw new Error('unavailable') })
  await until(() => events.length === 2)
  t.strictSame(events[1], { kind: 'mail.failed', at: NOW, userId: undefined, details: { reason: 'given_up' } })
  t.strictSame(counted(), { retried: 6, given_up: 2 })
})

t.test('a link that is good no more is not sent', async t => {
  const { queue, events, until, clock, attempts } = openQueue(t, async () => {
    clock.now += 60_000
    throw new Error('down')
  })
  queue.add('known', async () => letterTo('ada@example.com', { goodFor: 90_000 }))
  await until(() => events.length === 1)
  t.strictSame([attempts(), events[0]!.details], [2, { reason: 'given_up', mail: 'new-device' }])
})

t.test('what the server will never take is not tried again, and is nobody else\'s fault', async t => {
  const { queue, events, until, attempts, counted, refusals, reports } = openQueue(t, async () => { throw new LetterRefused('550 no') })
  queue.add('known', async () => letterTo('ada@example.com'))
  await until(() => events.length === 1)
  t.strictSame([attempts(), counted(), refusals, reports, queue.isFailing, events[0]!.details], [1, { refused: 1 }, ['550 no'], [], false, { reason: 'refused', mail: 'new-device' }])
})

t.test('a server that takes no end is given up for another try', async t => {
  const { queue, sent, until } = openQueue(t, async (_to, _letter, attempt) => { if (attempt === 1) await new Promise(() => {}) }, { times: { ...TIMES, patience: 1 } })
  queue.add('known', async () => letterTo('ada@example.com'))
  await until(() => sent.length === 1)
})

t.test('what finds no room is dropped and counted, and what anybody can ask for takes half of it at most', async t => {
  const { queue, events, counted, length } = openQueue(t, async () => await new Promise(() => {}), { sizes: { all: 4, anybodys: 2, atOnce: 1 }, times: { ...TIMES, farewell: 1 } })
  t.ok(MAIL_SIZES.anybodys < MAIL_SIZES.all)
  for (let count = 0; count < 3; count++) queue.add('anybody', async () => letterTo(`${count}@example.com`))
  t.strictSame([length(), counted()], [2, { dropped: 1 }])
  for (let count = 0; count < 3; count++) queue.add('known', async () => letterTo(`${count}@example.com`))
  t.strictSame([length(), counted()], [4, { dropped: 2 }])
  t.strictSame(events, Array.from({ length: 2 }, () => ({ kind: 'mail.failed', at: NOW, userId: undefined, details: { reason: 'dropped' } })))
})

t.test('so many are sent at once and no more', async t => {
  let [now, most] = [0, 0]
  const { queue, sent, until } = openQueue(t, async () => {
    most = Math.max(most, ++now)
    await new Promise(resolve => { setImmediate(resolve) })
    now--
  }, { sizes: { all: 100, anybodys: 50, atOnce: 3 } })
  for (let count = 0; count < 20; count++) queue.add('known', async () => letterTo(`${count}@example.com`))
  await until(() => sent.length === 20)
  t.equal(most, 3)
})

t.test('who gets a mail is found out, and what there is to do for it is done, whatever the mail server is like and however many wait for it', async t => {
  const { queue, events, until, length } = openQueue(t, async () => await new Promise(() => {}), { sizes: { all: 4, anybodys: 2, atOnce: 1 }, times: { ...TIMES, farewell: 1 } })
  const asked: string[] = []
  for (const name of ['ada', 'grace', 'alan', 'edsger']) {
    await new Promise<void>(resolve => {
      queue.add('anybody', async () => {
        asked.push(name)
        resolve()
        return letterTo(`${name}@example.com`, { userId: name })
      })
    })
  }
  t.strictSame(asked, ['ada', 'grace', 'alan', 'edsger'])
  await until(() => events.length === 2)
  t.strictSame(events, ['alan', 'edsger'].map(userId => ({ kind: 'mail.failed', at: NOW, userId, details: { reason: 'dropped', mail: 'new-device' } })))
  t.equal(length(), 2)
})

t.test('what anybody can ask for is begun at random a little later, unless there is a stop before; anything else at once', async t => {
  const { queue, sent, until } = openQueue(t, async () => {}, { spread: 3_600_000 })
  queue.add('anybody', async () => letterTo('ada@example.com'))
  queue.add('known', async () => letterTo('grace@example.com'))
  await until(() => sent.length === 1)
  t.equal(sent[0]!.to, 'grace@example.com')
  await queue.stop()
  t.strictSame(sent.map(({ to }) => to), ['grace@example.com', 'ada@example.com'])
  const brief = openQueue(t, async () => {}, { spread: 2 })
  brief.queue.add('anybody', async () => letterTo('ada@example.com'))
  await brief.until(() => brief.sent.length === 1)
})

t.test('a mail that was given up at a stop is not written later', async t => {
  let free = (_addressed: Addressed) => {}
  const { queue, events, length, sent } = openQueue(t, async () => {}, { times: { ...TIMES, farewell: 1 } })
  let begun = () => {}
  const asked = new Promise<void>(resolve => { begun = resolve })
  queue.add('known', async () => await new Promise<Addressed>(resolve => {
    free = resolve
    begun()
  }))
  await asked
  await queue.stop()
  free(letterTo('ada@example.com'))
  await new Promise(resolve => { setImmediate(resolve) })
  t.strictSame([events.length, length(), sent], [1, 0, []])
})

t.test('whoever is sent no other link has one that is good', async t => {
  const { queue, sent, until, clock, length } = openQueue(t, async () => {})
  const ask = async (goodFor: number) => {
    for (let count = 0; count < 4; count++) queue.add('anybody', async () => letterTo('ada@example.com', { kind: 'password-changed', goodFor }))
    queue.add('known', async () => letterTo(`${clock.now} ${goodFor}`))
    await until(() => length() === 0)
    return sent.splice(0).length - 1
  }
  t.equal(await ask(900_000), 3)
  clock.now += 899_999
  t.equal(await ask(900_000), 0)
  clock.now++
  t.equal(await ask(900_000), 3)
  t.equal(await ask(86_400_000), 3)
  clock.now += 3_599_999
  t.equal(await ask(86_400_000), 0)
})

t.test('nobody gets more than three mails of a kind in an hour', async t => {
  const { queue, sent, until, clock, length } = openQueue(t, async () => {})
  const addAll = async () => {
    for (let count = 0; count < 5; count++) queue.add('known', async () => letterTo('ada@example.com'))
    queue.add('known', async () => letterTo('ada@example.com', { kind: 'password-changed' }))
    queue.add('known', async () => letterTo('grace@example.com'))
    await until(() => length() === 0)
    return sent.splice(0).length
  }
  t.equal(await addAll(), 5)
  t.equal(await addAll(), 2)
  clock.now += 3_600_000
  t.equal(await addAll(), 5)
})

t.test('a stop tries what waits once more, waits for what is under way, and loses the rest; from then on nothing is taken', async t => {
  let isUp = false
  const down = openQueue(t, async () => { if (!isUp) throw new Error('down') }, { times: { ...TIMES, pauses: [3_600_000] } })
  down.queue.add('known', async () => letterTo('ada@example.com'))
  await down.until(() => down.counted()['retried'] === 1)
  isUp = true
  down.queue.add('known', async () => letterTo('grace@example.com'))
  await down.queue.stop()
  t.strictSame(down.sent.map(({ to }) => to).sort(), ['ada@example.com', 'grace@example.com'])
  down.queue.add('known', async () => letterTo('late@example.com'))
  t.strictSame(down.counted(), { sent: 2, retried: 1, dropped: 1 })
  const still = openQueue(t, async () => { throw new Error('down') })
  still.queue.add('known', async () => letterTo('ada@example.com'))
  await still.queue.stop()
  t.strictSame([still.attempts(), still.counted()], [1, { given_up: 1 }])
  const held = openQueue(t, async () => await new Promise(() => {}), { times: { ...TIMES, farewell: 1 } })
  held.queue.add('known', async () => letterTo('ada@example.com'))
  await held.until(() => held.attempts() === 1)
  await held.queue.stop()
  t.strictSame([held.counted(), held.events[0]!.details], [{ given_up: 1 }, { reason: 'given_up', mail: 'new-device' }])
  let free = () => {}
  const twice = openQueue(t, async (_to, _letter, attempt) => {
    if (attempt === 1) throw new Error('down')
    if (attempt === 2) await new Promise<void>(resolve => { free = resolve })
  }, { sizes: { all: 9, anybodys: 9, atOnce: 1 } })
  twice.queue.add('known', async () => letterTo('ada@example.com'))
  await twice.until(() => twice.counted()['retried'] === 1)
  twice.queue.add('known', async () => letterTo('grace@example.com'))
  await twice.until(() => twice.attempts() === 2)
  const stopping = twice.queue.stop()
  free()
  await stopping
  t.strictSame(twice.sent.map(({ to }) => to).sort(), ['ada@example.com', 'grace@example.com'], 'each once, whoever waits for a turn')
  const empty = openQueue(t, async () => {})
  await empty.queue.stop()
  await empty.queue.stop()
})

t.test('a mail server that is down for a while gets every mail once it is there', async t => {
  const gone = await openHouse(t, {})
  await gone.close()
  const { queue, reports, sent, until } = openQueue(t, smtpSender(`smtp://127.0.0.1:${gone.port}?starttls=never`, { name: '', address: 'id@example.com' }), { times: { ...TIMES, pauses: Array.from({ length: 1_000 }, () => 50) } })
  for (let count = 0; count < 5; count++) queue.add('known', async () => letterTo(`${count}@example.com`))
  await until(() => queue.isFailing)
  const house = await openHouse(t, {}, gone.port)
  await until(() => sent.length === 5)
  t.strictSame(house.arrived.map(({ to: [to] }) => to).sort(), ['0', '1', '2', '3', '4'].map(name => `${name}@example.com`))
  t.equal(reports.at(-1), undefined)
})
