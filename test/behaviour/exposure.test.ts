import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../../src/demo/loopback-server.ts';
import type { SlackView } from '../../src/demo/slack/slack-shapes.ts';
import { SERVICE, type World } from '../harness/bot.ts';
import { startConfigured } from '../harness/configured.ts';
import { sendMade } from '../harness/made-calls.ts';
import { declareIncident, type Opened, textsOf } from '../harness/people.ts';
import { blocksText } from '../harness/room.ts';

const SECRET = 'notice-secret';

interface Taken {
  key: string;
  body: { users: string[]; notice: string; service: string; digest: string };
  isSigned: boolean;
}

describe('who was exposed', () => {
  let world: World;
  let webhook: LoopbackServer;
  let incident: Opened;
  const taken: Taken[] = [];
  const answers: number[] = [];
  beforeAll(async () => {
    webhook = await listenOnLoopback(async (request, response, raw) => {
      const { 'x-llm-incident-timestamp': at, 'x-llm-incident-signature': signature } = request.headers;
      const mac = createHmac('sha256', SECRET).update(`${at}.${raw.toString()}`).digest('hex');
      const isSigned = signature === `v1=${mac}`;
      const key = String(request.headers['idempotency-key']);
      taken.push({ key, body: JSON.parse(raw.toString()), isSigned });
      response.writeHead(answers.shift() ?? 202).end('{"id":"batch-7"}');
    });
    world = await startConfigured(
      (config) => {
        config['exposure'] = {
          template: 'Some answers of {service} since {from} were wrong.',
          webhook: { url: `${webhook.url}/notices`, secret: '${NOTICE_SECRET}', allow_private: true },
        };
      },
      { env: { NOTICE_SECRET: SECRET } },
    );
    await sendMade(world, {
      service: SERVICE,
      n: 120,
      minutesAgo: { from: 20, to: 1 },
      each: (i) => ({
        user: i % 3 === 0 ? `=user-${i}` : 'user-good',
        output: `SECRET-OUTPUT ${i}`,
        evaluations: [{ name: 'quality', score: i % 3 === 0 ? 0.1 : 0.9 }],
      }),
    });
    await world.now();
    incident = await declareIncident(world, `sev3 quality ${SERVICE} wrong prices`);
  });
  afterAll(async () => {
    await world.close();
    await webhook.close();
  });

  const viewOf = (who: string, wanted: string | RegExp) =>
    world.slack.waitFor(`${who} to see ${wanted}`, () =>
      world.slack.views(world.slack.userId(who)).find((one) => blocksText(one).search(wanted) >= 0),
    );
  const open = async (who: string, channel: string, wanted: string | RegExp): Promise<SlackView> => {
    for (const view of world.slack.views(world.slack.userId(who))) await world.slack.as(who).dismiss(view);
    const text = `exposure INC-${incident.id}`;
    expect((await world.slack.as(who).command(text, { channel })).status).toBe(200);
    return viewOf(who, wanted);
  };
  const noticeSaying = (wanted: RegExp) =>
    world.slack.waitFor(`a notice saying ${wanted}`, async () => {
      const card = (await world.slack.messages(incident.room)).find((one) =>
        blocksText(one).includes('SEV3'),
      );
      const replies = card === undefined ? [] : await world.slack.replies(incident.room, card.ts);
      const texts = [...(await textsOf(world, incident.room, 'notice')), ...replies.map(blocksText)];
      return texts.find((text) => wanted.test(text));
    });

  it('is-listed-page-by-page-for-who-is-in-the-room-and-nobody-else', async () => {
    await open('product', 'general', 'You may not see this');
    const view = await open('oncall', incident.room, '40 users');
    expect(blocksText(view)).toMatch(/40 users received 40 bad outputs of support-answers/);
    expect(blocksText(view).match(/• =user-/g)).toHaveLength(25);
    expect(blocksText(view)).not.toMatch(/user-good|Export|Draft/);
    await world.slack.as('oncall').click(view, 'exposure_next');
    const second = await world.slack.waitFor('the second page', () =>
      world.slack
        .views(world.slack.userId('oncall'))
        .find((one) => (blocksText(one).match(/• =user-/g) ?? []).length === 15),
    );
    expect(blocksText(second)).toContain('Previous');
  });

  it('is-exported-to-the-person-alone-with-no-formula-in-it', async () => {
    const view = await open('approver', 'general', 'Export');
    await world.slack.as('approver').click(view, 'exposure_export');
    await viewOf('approver', 'in your direct messages');
    const uploads = world.slack
      .callsOf('files.completeUploadExternal')
      .map(({ args }) => args)
      .filter((args) => JSON.stringify(args).includes('Exposed users'));
    const { id } = await world.slack.waitFor('the direct message', async () =>
      (await world.slack.channels()).find(
        (one) => one.is_im && one.members.includes(world.slack.userId('approver')),
      ),
    );
    expect(uploads).toEqual([expect.objectContaining({ channel_id: id })]);
    const [file] = await world.slack.files(id);
    expect(file?.content).toMatch(/^user_id,bad_outputs,first_at,last_at\r\n'=user-0,1,/);
    expect(file?.content.trim().split('\r\n')).toHaveLength(41);
    const inRoom = (await world.slack.files(incident.room)).map(({ name }) => name);
    expect(inRoom.filter((name) => name.endsWith('.csv'))).toEqual([]);
  });

  it('is-told-by-a-notice-that-another-person-approved-once-however-often-it-is-clicked', async () => {
    const view = await open('approver', 'general', 'Draft a notice');
    await world.slack.as('approver').click(view, 'exposure_draft');
    const form = await world.slack.waitFor('the form', () =>
      world.slack.views(world.slack.userId('approver')).find((one) => one.callback_id === 'exposure_draft'),
    );
    expect(JSON.stringify(form.blocks)).toContain('Some answers of support-answers since 20');
    await world.slack.as('approver').submit(form, { text: 'Please ask again.' });
    await noticeSaying(/Drafted a notice to 40 users/);
    const own = await open('approver', 'general', 'Approve and send');
    await world.slack.as('approver').click(own, 'exposure_approve');
    await viewOf('approver', 'somebody else who may must approve it');
    expect(taken).toEqual([]);
    const forged = await open('lead', 'general', 'Approve and send');
    await world.slack.as('lead').click(forged, 'exposure_approve', { valueOverride: `1:${'0'.repeat(64)}` });
    await viewOf('lead', 'not the notice that is open now');
    answers.push(503);
    const theirs = await open('lead', 'general', 'Approve and send');
    await world.slack.as('lead').click(theirs, 'exposure_approve');
    await world.slack.replay();
    await noticeSaying(/The notice to 40 users was taken by the webhook \(202\)/);
    expect(taken.map(({ key, isSigned }) => ({ key, isSigned }))).toEqual([
      { key: expect.stringMatching(/exposure-notice\/1$/), isSigned: true },
      { key: taken[0]?.key, isSigned: true },
    ]);
    expect(taken[1]?.body).toMatchObject({ notice: 'Please ask again.', service: SERVICE });
    expect(taken[1]?.body.users).toHaveLength(40);
    const done = await open('lead', 'general', /Notice 1.* sent/);
    expect(blocksText(done)).not.toContain('Approve and send');
  });

  it('is-in-no-message-of-any-channel', async () => {
    for (const { id, is_im: isDirect } of await world.slack.channels()) {
      if (isDirect) continue;
      const said = JSON.stringify(await world.slack.messages(id));
      expect(said).not.toContain('=user-');
    }
  });
});
