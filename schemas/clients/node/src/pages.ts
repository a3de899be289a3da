// A list that does not fit into one reply is fetched in smaller pages, and put together as if it were one.

import type { Command } from './contract.js';
import { StowageError } from './errors.js';

const FIRST_SIZE = 128; // of the pages of a list without an end
const FAR_PAGE = 1_000_000; // a page without rows, whose reply tells the default of perPage

type Call = (request: any) => Promise<any>;

/** Whether a failed call can be answered in pages. */
export function isPageable(command: Command, error: unknown): boolean {
  return error instanceof StowageError && error.code === 'REPLY_TOO_LARGE' && command.pagePath !== undefined && !command.isWrite;
}

/** Fetches what the request asks for, in pages that are small enough. */
export async function fetchInPages(command: Command, request: any, call: Call): Promise<any> {
  const path = command.pagePath!;
  const ask = (page: number, perPage: unknown) => call(withPage(request, path, page, perPage));
  const { page = 0, perPage: given } = (path ? request[path] : request) ?? {};
  const perPage = given ?? infoOf(await ask(FAR_PAGE, undefined)).perPage;
  const isEndless = perPage === false;
  const parts: any[] = [];
  let size = isEndless ? FIRST_SIZE : smaller(perPage);
  let at = isEndless ? 0 : page * perPage;
  const end = isEndless ? Infinity : at + perPage;
  for (let hasMore = true; at < end && hasMore;) {
    try {
      const part = await ask(at / size, size);
      parts.push(part);
      at += size;
      hasMore = infoOf(part).hasMore;
    } catch (error) {
      if (!isPageable(command, error) || size === 1) throw error;
      size = smaller(size);
    }
  }
  return join(parts, page, perPage);
}

// The largest size by which a page of this size can be divided.
function smaller(size: number): number {
  for (let parts = 2; parts < size; parts++) if (size % parts === 0) return size / parts;
  return 1;
}

function withPage(request: any, path: string, page: number, perPage: unknown): any {
  return path ? { ...request, [path]: { ...request[path], page, perPage } } : { ...request, page, perPage };
}

// Where a reply tells page, perPage and hasMore.
const infoOf = (result: any) => result.pagination ?? result;

function join(parts: any[], page: number, perPage: number | false): any {
  const whole = { ...parts[0] };
  for (const [name, value] of Object.entries(whole)) {
    if (Array.isArray(value)) whole[name] = withoutRepeats(parts.flatMap((part) => part[name]));
  }
  const info = { ...infoOf(whole), page, perPage, hasMore: infoOf(parts.at(-1)).hasMore };
  return whole.pagination ? { ...whole, pagination: info } : { ...whole, ...info };
}

// Rows that were added meanwhile move others to the next page; and messages that were asked for beside the page come with each.
function withoutRepeats(rows: any[]): any[] {
  const seen = new Set<unknown>();
  return rows.filter((row) => row?.id === undefined || (!seen.has(row.id) && seen.add(row.id)));
}
