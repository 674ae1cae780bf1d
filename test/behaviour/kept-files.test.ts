import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MessageRef } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { reconfigure, startConfigured } from '../harness/configured.ts';
import { DAY_BEFORE, sendMade } from '../harness/made-calls.ts';
import { ask, declareIncident, membersWith, type Opened } from '../harness/people.ts';

const PNG = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
/** From the command to the document, on a busy machine. */
const LONG_MS = 30_000;
const GIF = Buffer.from('GIF89a picture');

describe('files that people share in a room', { timeout: 120_000 }, () => {
  let world: World;
  let incident: Opened;
  let shot: MessageRef;

  beforeAll(async () => {
    world = await startConfigured((config) => {
      config['room_files'] = { largest_mb: 0.01, most: 4 };
    });
    await sendMade(world, {
      ...{ service: SERVICE, n: 250, minutesAgo: DAY_BEFORE },
      each: () => ({ output: 'Within 14 days.', evaluations: [{ name: 'quality', score: 1 }] }),
    });
    await sendMade(world, {
      ...{ service: SERVICE, n: 120 },
      each: () => ({ output: 'Never.', evaluations: [{ name: 'quality', score: 0.4 }] }),
    });
    for (let poll = 0; poll < 3; poll += 1) await world.advance(15_000);
    incident = await declareIncident(world, `sev3 quality ${SERVICE} wrong refunds`);
  });
  afterAll(() => world.close());

  const folder = (about = incident) => join(world.env['DATA_DIR'] as string, 'documents', `INC-${about.id}`);
  const copies = (about = incident) => {
    const files = join(folder(about), 'files');
    return existsSync(files) ? readdirSync(files).sort() : [];
  };
  const markdown = () => readFileSync(join(folder(), 'postmortem.md'), 'utf8');
  const written = ({ room }: Opened, n: number) =>
    world.slack.waitFor(
      'the document',
      async () => {
        const found = (await world.slack.files(room)).filter(({ name }) => name === 'postmortem.md');
        return found.length === n || undefined;
      },
      LONG_MS,
    );
  const share = (who: string, name: string, bytes: Buffer, more: object = {}) =>
    world.slack.as(who).share(incident.room, { name, bytes, ...more });

  it('are kept by their content, within limits, and shown with who shared them', async () => {
    const lead = world.slack.userId('lead');
    shot = await share('oncall', '../Screen shot (1).html', PNG, { text: `Look, <@${lead}>` });
    await share('lead', 'log.txt', Buffer.from('14:02 timeout\n'), { threadTs: shot.ts });
    await share('lead', 'harmless.png', Buffer.from('MZ\u0000\u0001'));
    await share('lead', 'page.txt', Buffer.from('<!DOCTYPE html><p>Sign in</p>'));
    await share('lead', 'large.txt', Buffer.alloc(11_000, 'a'));
    const gone = await share('lead', 'gone.gif', GIF);
    await world.slack.as('lead').remove(gone);
    await share('lead', 'отчёт.gif', GIF);
    await share('lead', 'three.gif', GIF);
    await share('lead', 'four.gif', GIF);
    await world.slack.idle();
    await ask(world, 'oncall', 'resolve done', incident.room);
    await written(incident, 1);
    expect(copies().map((name) => name.replace(/^F[A-Z0-9]+/, ''))).toHaveLength(4);
    expect(
      copies()
        .map((name) => name.replace(/^F[A-Z0-9]+/, ''))
        .sort(),
    ).toEqual(['-screen-shot-1.png', '-log.txt', '-otchyot.gif', '-three.gif'].sort());
    for (const name of copies()) expect(statSync(join(folder(), 'files', name)).mode & 0o777).toBe(0o600);
    const [png = ''] = copies().filter((name) => name.endsWith('.png'));
    expect(readFileSync(join(folder(), 'files', png))).toEqual(PNG);
    const text = markdown();
    expect(text).toMatch(/\*\*.* oncall: Look, @lead\n/);
    expect(text).toContain(`](files/${png})`);
    expect(text).toMatch(/!\[[^\]\n]*Screen shot \(1\)\.html\]\(files\/F/);
    expect(text).toMatch(/lead: File: \[log\.txt\]\(files\/F[A-Z0-9]+-log\.txt\)/);
    expect(text).toContain('(no copy: it is no picture, PDF or plain text)');
    expect(text.match(/no copy: it is no picture/g)).toHaveLength(2);
    expect(text).toContain('(no copy: it is larger than 0.01 MB)');
    expect(text).toContain('(no copy: only 4 files are kept)');
    expect(text).not.toContain('gone.gif');
  });

  it('stand beside charts of what was measured', () => {
    const charts = readdirSync(folder()).filter((name) => name.endsWith('.png'));
    expect(charts).toContain(`INC-${incident.id}-metric.png`);
    for (const chart of charts) {
      expect(readFileSync(join(folder(), chart)).subarray(1, 4).toString()).toBe('PNG');
      expect(markdown()).toMatch(new RegExp(`!\\[[^\\]\\n]{30,}\\]\\(${chart}\\)`));
    }
  });

  it('go when they are deleted in Slack and the document is written again', async () => {
    await world.slack.as('oncall').remove(shot);
    await ask(world, 'oncall', 'postmortem', incident.room);
    await written(incident, 2);
    expect(copies().filter((name) => name.endsWith('.png'))).toEqual([]);
    expect(copies()).toHaveLength(4);
    expect(markdown()).not.toContain('Screen shot');
  });

  it('of a private incident are left in Slack', async () => {
    const hidden = await declareIncident(world, `sev1 safety ${SERVICE} leaks`);
    await membersWith(world, hidden.room, ['oncall']);
    await world.slack.as('oncall').share(hidden.room, { name: 'leak.png', bytes: PNG });
    await world.slack.idle();
    await ask(world, 'oncall', 'resolve done', hidden.room);
    await written(hidden, 1);
    expect(copies(hidden)).toEqual([]);
    expect(readFileSync(join(folder(hidden), 'postmortem.md'), 'utf8')).toContain('leak.png');
  });

  it('and all who are named are roles where no names are wanted', async () => {
    await reconfigure(world, (config) => {
      config['blameless_names'] = true;
    });
    await world.restart();
    const { userId } = world.slack.as('approver');
    await world.slack.as('lead').say(incident.room, `<@${userId}> and @approver saw it first.`);
    await world.slack.idle();
    await ask(world, 'oncall', 'postmortem', incident.room);
    await written(incident, 3);
    const text = markdown();
    expect(text).toMatch(/service owner: @responder \d and @responder \d saw it first\./);
    for (const name of ['oncall', 'approver', 'lead']) {
      expect(text).not.toContain(world.slack.userId(name));
      expect(text).not.toContain(`@${name}`);
      expect(text).not.toContain(` ${name}:`);
    }
    expect(copies().every((name) => /^F[A-Z0-9]+\.[a-z]+$/.test(name))).toBe(true);
  });
});
