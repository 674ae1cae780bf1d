import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { AFTER_A_CRASH_MS, declareIncident, textWith } from '../harness/people.ts';
import { approvedShift, atGate, receiptOf, sendArms } from '../harness/shifting.ts';
import { startTargetGate, type TargetGate } from '../harness/target-gate.ts';

describe('a bot that is killed while it shifts traffic', { timeout: 120_000 }, () => {
  let world: World;
  let gate: TargetGate;
  let child: ChildProcess;
  beforeAll(async () => {
    gate = await startTargetGate(() => world.service.controlUrl);
    world = await startConfigured((config, { slack }) => {
      const service = config.services[SERVICE];
      if (service?.target) service.target.url = gate.url;
      if (service) service.approvers = [slack.userId('approver'), slack.userId('product')];
      config['shift'] = { min_calls: 40, minutes: 20, stages: [10, 25, 50, 100] };
    });
    child = await world.spawn();
  });
  afterAll(async () => {
    await world.close();
    await gate.close();
  });

  const killed = async () => {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    gate.release();
    child = await world.spawn();
  };
  const arms = (good: number) => ({
    fresh: { model: 'new-model', n: 100, good },
    old: { n: 300, good: 285 },
  });
  const shares = () => world.service.effects.map(({ action, to }) => ({ action, to }));

  it('goes on at the stage where it was, sets each share once, and steps back once', async () => {
    const incident = await declareIncident(world, `sev3 quality ${SERVICE} answers look odd`);
    const id = await approvedShift(world, incident, 'shift new-model');
    const receipt = receiptOf(incident, id);
    gate.next('POST', { kind: 'hold-answer' });
    await sendArms(world, SERVICE, arms(99));
    await gate.held();
    await killed();
    await textWith(world, receipt, atGate(2, 25), AFTER_A_CRASH_MS);
    expect(shares()).toEqual([
      { action: 'split', to: 10 },
      { action: 'split', to: 25 },
    ]);
    await killed();
    gate.next('POST', { kind: 'hold-answer' });
    await sendArms(world, SERVICE, arms(50));
    await gate.held();
    await killed();
    await textWith(world, receipt, 'Stepped back by itself to 10 %', AFTER_A_CRASH_MS);
    expect(shares()).toEqual([
      { action: 'split', to: 10 },
      { action: 'split', to: 25 },
      { action: 'split', to: 10 },
    ]);
  });
});
