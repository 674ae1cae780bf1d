import { afterAll, beforeAll, expect, test } from 'vitest';
import { type LoopbackServer, listenOnLoopback } from '../demo/loopback-server.ts';
import { fetchFile } from './file-download.ts';
import { roomFile, sharedFile } from './shared-file.ts';

const TOKEN = 'xoxb-files';
const seen: { path: string; token: string | undefined }[] = [];
let slack: LoopbackServer;
let other: LoopbackServer;

beforeAll(async () => {
  other = await listenOnLoopback(async ({ headers, url = '' }, response) => {
    seen.push({ path: `other ${url}`, token: headers.authorization });
    response.end('elsewhere');
  });
  slack = await listenOnLoopback(async ({ headers, url = '' }, response) => {
    seen.push({ path: url, token: headers.authorization });
    const [, status = '200', to = ''] = /^\/files\/(\d+)(.*)$/.exec(url) ?? [];
    const location = to.startsWith('/http') ? decodeURIComponent(to.slice(1)) : to;
    const more = location === '' ? {} : { location };
    const head = status === '429' ? { 'retry-after': '9' } : more;
    response.writeHead(Number(status), head as Record<string, string>).end('the bytes');
  });
});
afterAll(async () => {
  await slack.close();
  await other.close();
});

const get = (path: string, largestBytes = 100) =>
  fetchFile(
    { token: TOKEN, slackApiUrl: `${slack.url}/api/` },
    { url: path.startsWith('/') ? `${slack.url}${path}` : path, largestBytes },
  );

test('a file comes with its bytes, up to the limit', async () => {
  expect(await get('/files/200')).toEqual({ kind: 'fetched', bytes: Buffer.from('the bytes') });
  expect(seen.at(-1)).toEqual({ path: '/files/200', token: `Bearer ${TOKEN}` });
  expect(await get('/files/200', 8)).toEqual({ kind: 'too-large' });
});

test('the token goes to Slack alone, and no redirect leads elsewhere', async () => {
  const before = seen.length;
  for (const url of [
    `${other.url}/a`,
    'http://files.slack.com/a',
    'https://files.slack.com.evil.example/a',
    'no',
  ])
    expect(await get(url)).toEqual({ kind: 'refused', why: 'its address is none of Slack' });
  expect(seen).toHaveLength(before);
  const away = await get(`/files/302/${encodeURIComponent(`${other.url}/login`)}`);
  expect(away).toEqual({ kind: 'refused', why: 'Slack sends to another address for it' });
  expect(seen.some(({ path }) => path.startsWith('other'))).toBe(false);
  expect(await get('/files/302/files/200')).toMatchObject({ kind: 'fetched' });
  expect(await get('/files/302/files/302/files/302/files/302/x')).toMatchObject({ kind: 'refused' });
});

test('what is gone or forbidden is said; trouble that passes is tried again', async () => {
  expect(await get('/files/404')).toEqual({ kind: 'refused', why: 'it was deleted' });
  expect(await get('/files/403')).toEqual({ kind: 'refused', why: 'Slack answered 403' });
  await expect(get('/files/429')).rejects.toMatchObject({ retryable: true, retryAfterMs: 9000 });
  await expect(get('/files/503')).rejects.toMatchObject({ retryable: true, retryAfterMs: undefined });
});

test('a file is read however much of it Slack tells', () => {
  const of = (value: object) => roomFile(sharedFile.parse(value));
  expect(of({ id: 'F1', mode: 'tombstone' })).toEqual({
    ...{ id: 'F1', name: 'file', permalink: null, gone: 'it was deleted' },
  });
  const external = { id: 'F2', name: 'Plan', is_external: true, url_private: 'https://docs.example/plan' };
  expect(of(external)).toMatchObject({ name: 'Plan', gone: 'it is kept outside of Slack' });
  expect(of(external)).not.toHaveProperty('url');
  const whole = {
    id: 'F3',
    title: 'Shot',
    url_private: 'https://files.slack.com/a',
    size: 12,
    permalink: 'p',
  };
  expect(of(whole)).toEqual({ id: 'F3', name: 'Shot', permalink: 'p', url: whole.url_private, bytes: 12 });
});
