/** A client of the service as an application would write it: everything it knows comes from openapi.json. */

import createClient, { type Middleware } from "openapi-fetch";

import type { components, paths } from "../generated/api.js";

export type Schemas = components["schemas"];
export type Problem = Schemas["Problem"];

export function client(baseUrl: string, token?: string) {
  const api = createClient<paths>({ baseUrl });
  const authorize: Middleware = {
    onRequest({ request }) {
      if (token !== undefined) request.headers.set("Authorization", `Bearer ${token}`);
      return request;
    },
  };
  api.use(authorize);
  return api;
}

/** What every call gives: the answer, or the problem. Never both, never neither. */
export type Result<T> =
  | { data: T; error?: never; response: Response }
  | { data?: never; error: Problem; response: Response };

/** The problem as an exception, for callers who do not expect one. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(`${problem.status} ${problem.code}: ${problem.detail}`);
  }
}

export function unwrap<T>(result: Result<T>): T {
  if (result.error !== undefined) throw new ApiError(result.error);
  return result.data;
}

type Page<T> = { items: T[]; next_cursor: string | null };

/** All items of a list, page by page: `page` asks for the one after `cursor`. */
export async function* pages<T>(
  page: (query: { cursor?: string }) => Promise<Result<Page<T>>>,
): AsyncGenerator<T, void> {
  let query: { cursor?: string } = {};
  for (;;) {
    const { items, next_cursor } = unwrap(await page(query));
    yield* items;
    if (next_cursor === null) return;
    query = { cursor: next_cursor };
  }
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
