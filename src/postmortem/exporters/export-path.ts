import slugify from '@sindresorhus/slugify';
import type { ExportDocument } from './exporter.ts';

/** "evals/{incident}.yaml" for a document. What a service is called cannot lead out of its folder. */
export function exportPath(
  template: string,
  { incident, service, declaredAt }: Pick<ExportDocument, 'incident' | 'service' | 'declaredAt'>,
): string {
  const date = declaredAt.toISOString().slice(0, 10);
  const slug = slugify((service ?? '').slice(0, 80), { decamelize: false }) || 'no-service';
  const places: Record<string, string> = { incident, service: slug, date, year: date.slice(0, 4) };
  return template.replace(/\{(\w+)\}/g, (whole, place: string) => places[place] ?? whole);
}

/** The folder of a path with a slash at its end; "" at the top. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1);
}
