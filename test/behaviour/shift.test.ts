import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { ask, declareIncident, type Opened, press, proposeIn, textsOf, textWith } from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';
import {
  approvedShift,
  atGate,
  mitigationIn,
  receiptOf,
  sendArms,
  servedBy,
  shiftingService,
} from '../harness/shifting.ts';

const MINUTE_MS = 60_000;
const SERVICES = ['shifts', 'steps-back', 'is-held', 'is-stopped', 'has-rivals'];

describe('traffic that is shifted stage by stage', { timeout: 120_000 }, () => {
  let world: World;
  let stoppedAt25 = 0;
  beforeAll(async () => {
    world = await startConfigured((config, around) => {
      for (const service of SERVICES) config.services[service] = shiftingService(around);
    });
  });
  afterAll(() => world.close());

  const declared = (service: string, category = 'quality') =>
    declareIncident(world, `sev3 ${category} ${service} answers look odd`);
  const noticeIn = ({ room }: Opened, wanted: string) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () =>
      (await textsOf(world, room, 'notice')).find((text) => text.includes(wanted)),
    );
  const even = (model: string) => ({ fresh: { model, n: 100, good: 99 }, old: { n: 300, good: 285 } });

  it('goes from gate to gate until the new model is served alone', async () => {
    const incident = await declared('shifts');
    const proposal = await proposeIn(world, incident.room, { wanted: 'shift new-model' });
    const shown = blocksText(proposal);
    expect(shown).toContain('shift the traffic to new-model: 10 → 25 → 50 → 100 %');
    expect(shown).toContain('not be worse than the rest by 5 points (95 %), from 40 calls in each');
    expect(shown).toContain('0 of 2');
    await ask(world, 'oncall', 'mitigate reject 1 the next one', incident.room);
    const id = await approvedShift(world, incident, 'shift new-model');
    const receipt = receiptOf(incident, id);
    for (const [stage, percent] of [10, 25, 50].entries()) {
      await textWith(world, receipt, atGate(stage + 1, percent));
      await world.slack.waitFor('what is served', async () => {
        const { split, model } = await servedBy(world, 'shifts');
        return JSON.stringify(split) === `{"new-model":${percent}}` ? (model ?? true) : undefined;
      });
      await sendArms(world, 'shifts', even('new-model'));
    }
    const text = await textWith(world, receipt, 'Read-back: new-model');
    expect(text).toMatch(
      /Stage 2 of 4: 25 %, new arm format 99\.0 % \(n = 100\) against 9\d\.\d % \(n = \d+\)/,
    );
    expect(await servedBy(world, 'shifts')).toMatchObject({ model: 'new-model', split: { 'new-model': 0 } });
    await textWith(world, { room: incident.room, key: `proposal:${id}` }, 'Applied');
    expect(await ask(world, 'oncall', `mitigate undo ${id}`, incident.room)).toContain(
      'model new-model → old-model',
    );
  });

  it('steps back by itself when the new arm is worse, and says so to whoever may decide', async () => {
    const incident = await declared('steps-back');
    const id = await approvedShift(world, incident, 'shift new-model');
    await sendArms(world, 'steps-back', even('new-model'));
    await textWith(world, receiptOf(incident, id), atGate(2, 25));
    await sendArms(world, 'steps-back', {
      fresh: { model: 'new-model', n: 60, good: 30 },
      old: { n: 180, good: 175 },
    });
    const text = await textWith(world, receiptOf(incident, id), 'NOT CONTAINED');
    expect(text).toMatch(/new arm format 50\.0 % \(n = 60\) against 97\.\d % \(n = \d+\)/);
    expect(text).toContain('Stepped back by itself to 10 %.');
    expect(await servedBy(world, 'steps-back')).toMatchObject({ split: { 'new-model': 10 } });
    const said = await noticeIn(incident, 'Stepped back by itself');
    expect(said).toContain(`<@${world.slack.userId('approver')}>`);
    const undo = await proposeIn(world, incident.room, { wanted: `undo ${id}` });
    expect(blocksText(undo)).toContain('0 % of the traffic to new-model (10 % before)');
  });

  it('is held for people when a gate cannot tell by its deadline', async () => {
    const incident = await declared('is-held');
    const id = await approvedShift(world, incident, 'shift new-model');
    await sendArms(world, 'is-held', {
      fresh: { model: 'new-model', n: 12, good: 12 },
      old: { n: 100, good: 95 },
    });
    await textWith(world, receiptOf(incident, id), '12/40 calls in the smaller arm');
    await world.advance(20 * MINUTE_MS);
    const said = await noticeIn(incident, 'Held at stage 1 of 4: 10 %');
    expect(said).toContain('cannot be told whether it is worse, new arm');
    await textWith(world, receiptOf(incident, id), 'UNPROVEN');
    expect(await servedBy(world, 'is-held')).toMatchObject({ split: { 'new-model': 10 } });
  });

  it('stops where it is when somebody says so, or when the incident is over', async () => {
    const incident = await declared('is-stopped');
    const id = await approvedShift(world, incident, 'shift new-model');
    expect(await ask(world, 'oncall', `mitigate stop ${id}`, incident.room)).toContain('Stopped at 10 %.');
    expect(await ask(world, 'oncall', `mitigate stop ${id}`, incident.room)).toContain('nothing to stop');
    expect(await ask(world, 'oncall', 'mitigate stop 999', incident.room)).toContain(
      'There is no mitigation 999',
    );
    await sendArms(world, 'is-stopped', even('new-model'));
    await textWith(world, receiptOf(incident, id), 'it stands at 10 %');
    const next = await proposeIn(world, incident.room, { wanted: 'shift new-model' });
    expect(blocksText(next)).toContain('25 → 50 → 100 % (10 % before)');
    for (const who of ['approver', 'product']) await press(world, who, { on: next, action: 'approve' });
    const again = mitigationIn(next);
    await textWith(world, receiptOf(incident, again), atGate(1, 25));
    const refused = await ask(world, 'oncall', `mitigate reject ${again} enough`, incident.room);
    expect(refused).toContain('Stopped at 25 %.');
    expect(await servedBy(world, 'is-stopped')).toMatchObject({ split: { 'new-model': 25 } });
    stoppedAt25 = again;
    const other = await declared('has-rivals');
    const shifted = await approvedShift(world, other, 'shift new-model');
    const rival = await ask(world, 'oncall', 'mitigate shift third-model', other.room);
    expect(rival).toContain('new-model gets 10 % of the same traffic');
    await ask(world, 'oncall', 'resolve users are well', other.room);
    await world.advance(15_000);
    await textWith(
      world,
      receiptOf(other, shifted),
      `Stopped, because INC-${other.id} is resolved; it stands at 10 %`,
    );
  });

  it('goes all at once in an outage, and with all', async () => {
    const incident = await declareIncident(world, `sev3 outage ${SERVICE} nothing answers`);
    const proposal = await proposeIn(world, incident.room, { wanted: 'shift gpt-4-0613' });
    expect(blocksText(proposal)).toContain('shift the traffic to gpt-4-0613: all at once');
    expect(blocksText(proposal)).toContain('0 of 2');
  });

  it('leaves every stage on the audit trail, also of a shift that did not get to its end', async () => {
    await world.stopBot();
    expect(await stagesOnTrail(world, stoppedAt25)).toEqual([{ stage: 1, from: 10, to: 25 }]);
  });
});

/** What moved live traffic, stage by stage. */
async function stagesOnTrail(world: World, id: number): Promise<unknown[]> {
  const { db, close } = await world.database.open();
  const rows = await db
    .selectFrom('audit')
    .select('data')
    .where('action', '=', 'mitigation.stage')
    .where('subject', '=', `mitigation ${id}`)
    .orderBy('seq')
    .execute();
  await close();
  return rows.map(({ data: { planHash: _hash, ...stage } }) => stage);
}
