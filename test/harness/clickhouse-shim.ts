import { createRequire } from 'node:module';
import { type LoopbackServer, listenOnLoopback } from '../../src/demo/loopback-server.ts';

interface ChdbSession {
  query(text: string, format: string): string;
  queryBind(text: string, parameters: object, format: string): string;
  close(): void;
}

/** Real ClickHouse in this process, behind as much of its HTTP interface as a source uses. */
export interface ClickhouseShim extends LoopbackServer {
  /** The query strings that came, newest last. */
  asked: URLSearchParams[];
}

/**
 * Starts ClickHouse with `setup` run, or says why it cannot. `chdb` is looked for in the folder CHDB_PATH, else among
 * the installed packages. After the setup the session is read-only, as `readonly=1` makes a request.
 */
export async function startClickhouse(options: {
  setup: readonly string[];
  user: string;
  key: string;
  maxExecutionSeconds: number;
}): Promise<ClickhouseShim | string> {
  const folder = process.env['CHDB_PATH'];
  const from = folder === undefined ? import.meta.url : `${folder}/`;
  let session: ChdbSession;
  try {
    const { Session } = createRequire(from)('chdb') as { Session: new () => ChdbSession };
    session = new Session();
  } catch (thrown) {
    return `real ClickHouse needs the package chdb, in the folder CHDB_PATH: ${String(thrown).split('\n', 1)[0]}`;
  }
  const limits = [`set max_execution_time = ${options.maxExecutionSeconds}`, 'set readonly = 1'];
  for (const statement of [...options.setup, ...limits]) session.query(statement, 'CSV');

  const asked: URLSearchParams[] = [];
  const server = await listenOnLoopback(async (request, response, body) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://clickhouse');
    asked.push(searchParams);
    const { 'x-clickhouse-user': user, 'x-clickhouse-key': key } = request.headers;
    const failure = (code: string, message: string, status: number) => {
      response.writeHead(status, { 'x-clickhouse-exception-code': code });
      response.end(`Code: ${code}. DB::Exception: ${message}`);
    };
    if (user !== options.user || key !== options.key) {
      return failure('516', `${user}: Authentication failed`, 403);
    }
    if (searchParams.get('readonly') !== '1') return failure('36', 'the test asks read-only', 400);
    try {
      const format = searchParams.get('default_format') ?? 'TabSeparated';
      response.end(session.queryBind(body.toString(), parametersOf(searchParams), format));
    } catch (thrown) {
      // What a failed query had written already would else stand before the next answer.
      session.query('select 1', 'Null');
      const text = thrown instanceof Error ? thrown.message : String(thrown);
      const code = /Code: (\d+)\./.exec(text)?.[1] ?? '1';
      failure(code, text.slice(text.lastIndexOf('DB::Exception: ') + 'DB::Exception: '.length), 400);
    }
  });
  const close = async () => {
    await server.close();
    session.close();
  };
  return { url: server.url, close, asked };
}

/** As the server reads them: like tab-separated values. */
function parametersOf(searchParams: URLSearchParams): Record<string, string> {
  const pairs = [...searchParams].filter(([name]) => name.startsWith('param_'));
  const meant: Record<string, string> = { t: '\t', n: '\n' };
  return Object.fromEntries(
    pairs.map(([name, value]) => [
      name.slice('param_'.length),
      value.replace(/\\([\s\S])/g, (_, character: string) => meant[character] ?? character),
    ]),
  );
}
