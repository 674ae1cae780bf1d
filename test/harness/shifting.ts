import type { SlackMessage } from '../../src/demo/slack/slack-shapes.ts';
import { TOKEN, type World } from './bot.ts';
import type { ServiceEntry } from './configured.ts';
import { sendMade } from './made-calls.ts';
import { type Opened, press, proposeIn, textWith } from './people.ts';
import { keyOf } from './room.ts';

const MINUTE_MS = 60_000;

/** A service whose traffic goes from the model `old-model` to others, by gates that few calls decide. */
export function shiftingService(world: World): ServiceEntry & Record<string, unknown> {
  return {
    owner: world.slack.userId('lead'),
    approvers: [world.slack.userId('approver'), world.slack.userId('product')],
    target: { type: 'built-in' } as ServiceEntry['target'],
    serving: { model: 'old-model' },
    shift: { min_calls: 40, minutes: 20 },
  } as ServiceEntry & Record<string, unknown>;
}

/** What both arms do: calls, and how many of each have a sound format. */
export interface ArmCalls {
  fresh: { model: string; n: number; good: number };
  old: { n: number; good: number };
}

/** Lets two minutes pass in which both arms answer, and the gate look at them. */
export async function sendArms(world: World, service: string, { fresh, old }: ArmCalls): Promise<void> {
  await world.advance(2 * MINUTE_MS);
  const n = fresh.n + old.n;
  const seen = { fresh: 0, old: 0 };
  await sendMade(world, {
    service,
    n,
    minutesAgo: { from: 1.5, to: 0 },
    each: (index) => {
      const isFresh = Math.floor(((index + 1) * fresh.n) / n) > Math.floor((index * fresh.n) / n);
      const model = isFresh ? fresh.model : 'old-model';
      const isGood = isFresh ? seen.fresh++ < fresh.good : seen.old++ < old.good;
      const evaluations = [{ name: 'format', score: isGood ? 1 : 0 }];
      return { requestModel: model, responseModel: model, evaluations };
    },
  });
  await world.advance(0);
}

/** Proposes it and has it approved by two; the number of the mitigation, once its first stage is set. */
export async function approvedShift(world: World, incident: Opened, wanted: string): Promise<number> {
  const proposal = await proposeIn(world, incident.room, { wanted });
  for (const who of ['approver', 'product']) await press(world, who, { on: proposal, action: 'approve' });
  const id = mitigationIn(proposal);
  await textWith(world, receiptOf(incident, id), atGate(1, 10));
  return id;
}

/** What the receipt says of a stage that is set and waits for calls. */
export const atGate = (stage: number, percent: number) =>
  new RegExp(`Stage ${stage} of \\d: ${percent} %.*: comparing`);

export const mitigationIn = (proposal: SlackMessage) => Number((keyOf(proposal) ?? '').split(':')[1]);
export const receiptOf = ({ room }: Opened, id: number) => ({ room, key: `receipt:${id}` });

/** What an application gets from the bot over OFREP. */
export async function servedBy(world: World, service: string): Promise<Record<string, unknown>> {
  const answer = await fetch(`${world.url}/ofrep/v1/evaluate/flags/${service}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ context: { targetingKey: 'somebody' } }),
  });
  return ((await answer.json()) as { value: Record<string, unknown> }).value;
}
