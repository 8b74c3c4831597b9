/** What an application does with the generated client, against the running service. */

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { before, describe, it } from "node:test";

import { ApiError, client, collect, pages, unwrap, type Problem, type Schemas } from "./api.js";

const baseUrl = process.env["BASE_URL"];
assert.ok(baseUrl, "BASE_URL names the service");

const email = "ada@example.com";
const password = "correct horse battery";
const anonymous = client(baseUrl);
let api: ReturnType<typeof client>;

/** The problem that a call is expected to end with. */
function problem(result: { data?: unknown; error?: Problem }): Problem {
  assert.ok(result.error, "this was expected to fail");
  return result.error;
}

before(async () => {
  const account: Schemas["Account"] | undefined = unwrap(
    await anonymous.POST("/v1/users", { body: { username: "ada", email, password, display_name: "Ada" } }),
  );
  // Where addresses are verified first there is none yet: 202.
  assert.ok(account);
  assert.equal(account.email, email);
  const session = unwrap(await anonymous.POST("/v1/sessions", { body: { email, password } }));
  api = client(baseUrl, session.token);
  assert.equal(unwrap(await api.GET("/v1/users/me")).id, account.id);
});

describe("a forgotten password", () => {
  it("is replaced by a mailed link", async () => {
    const [name, chosen] = ["forgetful", "another horse battery"];
    const account = { username: name, email: `${name}@example.com`, password };
    unwrap(await anonymous.POST("/v1/users", { body: { ...account, language: "de" } }));
    const asked = await anonymous.POST("/v1/password-resets", { body: { email: account.email } });
    assert.equal(asked.response.status, 202);

    let token: string | undefined;
    while (token === undefined) {
      const outbox = await (await fetch(`${baseUrl}/outbox`)).text();
      token = /password-reset#(blog_[\w-]+)/.exec(outbox)?.[1];
    }
    const confirm = () => anonymous.POST("/v1/password-resets/confirmation", { body: { token, password: chosen } });
    assert.equal((await confirm()).response.status, 204);
    assert.deepEqual(problem(await confirm()).errors.map((error) => error.field), ["token"]);
    unwrap(await anonymous.POST("/v1/sessions", { body: { email: account.email, password: chosen } }));
  });
});

describe("media", () => {
  const picture =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR42mPomjwHAANkAbqdds3cAAAAAElFTkSuQmCC";

  it("takes a picture as a form, which a post then shows", async () => {
    const form = new FormData();
    form.append("file", new Blob([Buffer.from(picture, "base64")]), "bridge.png");
    form.append("alt", "A bridge in fog");
    const uploaded = await api.POST("/v1/media", { body: form });
    const { id, url, width } = unwrap(uploaded);
    assert.equal(width, 1);
    const body = { title: "Fog", body: `![](${url})`, cover: { media: id } };
    const post = unwrap(await api.POST("/v1/posts", { body }));
    assert.equal(post.cover?.alt, "A bridge in fog");
    assert.match(post.body_html, /alt="A bridge in fog" width="1"/);
  });

  it("takes another file by the request that it answers with", async () => {
    const file = Buffer.from("%PDF-1.7");
    const sha256 = createHash("sha256").update(file).digest("hex");
    const announced: Schemas["AnnounceFile"] = {
      filename: "Minutes.pdf",
      content_type: "application/pdf",
      bytes: file.length,
      sha256,
    };
    const { id, method, url, headers } = unwrap(await api.POST("/v1/media/uploads", { body: announced }));
    const params = { path: { id } };
    const early = await api.POST("/v1/media/uploads/{id}/completion", { params });
    assert.equal(problem(early).errors[0]?.code, "not_uploaded");
    assert.equal((await fetch(url, { method, headers, body: file })).status, 200);
    const media = unwrap(await api.POST("/v1/media/uploads/{id}/completion", { params }));
    assert.equal(media.filename, "Minutes.pdf");
    assert.equal((await fetch(media.url)).headers.get("content-disposition"), "attachment");
  });
});

describe("API tokens", () => {
  it("do what they are for and nothing else", async () => {
    const body: Schemas["CreateToken"] = { name: "Publishes", scopes: ["posts:write"] };
    const { id, token } = unwrap(await api.POST("/v1/tokens", { body }));
    const machine = client(baseUrl, token);
    const post = unwrap(await machine.POST("/v1/posts", { body: { title: "Release", body: "x" } }));
    assert.equal(post.status, "draft");
    assert.equal(problem(await machine.GET("/v1/users/me")).code, "insufficient_scope");
    assert.equal((await api.DELETE("/v1/tokens/{id}", { params: { path: { id } } })).response.status, 204);
    assert.equal(problem(await machine.POST("/v1/posts", { body: { title: "Late", body: "x" } })).status, 401);
  });
});

describe("notifications", () => {
  it("tell of a comment until they are read, or the post is muted", async () => {
    const [name, email] = ["commenter", "commenter@example.com"];
    unwrap(await anonymous.POST("/v1/users", { body: { username: name, email, password } }));
    const session = unwrap(await anonymous.POST("/v1/sessions", { body: { email, password } }));
    const other = client(baseUrl, session.token);
    const post = unwrap(await api.POST("/v1/posts", { body: { title: "Told", body: "x", status: "published" } }));
    const params = { path: { post: post.id } };
    unwrap(await other.POST("/v1/posts/{post}/comments", { params, body: { body: "Hm." } }));

    const list = async () => unwrap(await api.GET("/v1/notifications"));
    let told = await list();
    while (told.items[0] === undefined) told = await list();
    const [{ id, kind, actor, post: about }] = [told.items[0]];
    assert.equal(kind, "comment" satisfies Schemas["NotificationKind"]);
    assert.deepEqual([actor.username, about?.slug, told.unread], [name, post.slug, 1]);
    assert.equal((await api.POST("/v1/notifications/read", { body: { up_to: id } })).response.status, 204);
    assert.equal((await list()).unread, 0);

    const settings = await api.PATCH("/v1/users/me/notifications", { body: { comment: "never" } });
    assert.equal(unwrap(settings).comment, "never" satisfies Schemas["Delivery"]);
    assert.equal((await api.PUT("/v1/posts/{post}/mute", { params })).response.status, 204);
    assert.equal(unwrap(await api.GET("/v1/posts/{post}", { params })).muted, true);
  });
});

describe("posts", () => {
  it("are published, found by their slug and changed", async () => {
    const post = unwrap(
      await api.POST("/v1/posts", {
        body: { title: "Hello, typed world", body: "This is *the first*.", tags: ["types"], status: "published" },
      }),
    );
    assert.equal(post.status, "published" satisfies Schemas["PostStatus"]);
    assert.match(post.body_html, /<em>the first<\/em>/);
    const params = { path: { post: post.slug } };
    assert.deepEqual(unwrap(await anonymous.GET("/v1/posts/{post}", { params })).tags, ["types"]);

    const changed = unwrap(await api.PATCH("/v1/posts/{post}", { params, body: { summary: "In short." } }));
    assert.equal(changed.summary, "In short.");
    const { data, response } = await api.DELETE("/v1/posts/{post}", { params });
    assert.equal(response.status, 204);
    assert.equal(data, undefined);
    assert.equal(problem(await anonymous.GET("/v1/posts/{post}", { params })).code, "not_found");
  });

  it("are written once, and not over what somebody else wrote", async () => {
    const header = { "Idempotency-Key": randomUUID() };
    const write = () =>
      api.POST("/v1/posts", { params: { header }, body: { title: "Only once", body: "Really.", status: "published" } });
    const [first, second] = [await write(), await write()];
    assert.equal(unwrap(second).id, unwrap(first).id);
    assert.equal(second.response.headers.get("Idempotency-Replayed"), "true");

    const etag = first.response.headers.get("ETag");
    assert.ok(etag);
    const change = (summary: string) =>
      api.PATCH("/v1/posts/{post}", {
        params: { path: { post: unwrap(first).id }, header: { "If-Match": etag } },
        body: { summary },
      });
    assert.equal(unwrap(await change("From the first.")).summary, "From the first.");
    const refused = await change("From the second.");
    assert.equal(problem(refused).code, "precondition_failed");
    assert.notEqual(refused.response.headers.get("ETag"), etag);
  });

  it("are listed page by page, each once, in order", async () => {
    const titles = Array.from({ length: 5 }, (_, number) => `Of a series, ${number}`);
    for (const title of titles) {
      unwrap(
        await api.POST("/v1/posts", { body: { title, body: "One of five.", tags: ["series"], status: "published" } }),
      );
    }
    let asked = 0;
    const series = await collect(
      pages((query) => {
        asked += 1;
        return anonymous.GET("/v1/posts", {
          params: { query: { tag: "series", sort: "published_at", limit: 2, ...query } },
        });
      }),
    );
    assert.equal(asked, 3);
    assert.deepEqual(
      series.map((post) => post.title),
      titles,
    );
    const first: Schemas["PostSummary"] | undefined = series[0];
    assert.equal(first?.author.username, "ada");
  });
});

describe("comments", () => {
  it("are read as a thread", async () => {
    const post = unwrap(await api.POST("/v1/posts", { body: { title: "Talk", body: "Please.", status: "published" } }));
    const params = { path: { post: post.id } };
    const comment = unwrap(await api.POST("/v1/posts/{post}/comments", { params, body: { body: "Well said." } }));
    assert.equal(comment.parent_id, null);
    unwrap(await api.POST("/v1/posts/{post}/comments", { params, body: { body: "Another." } }));
    unwrap(
      await api.POST("/v1/posts/{post}/comments", { params, body: { body: "Indeed.", parent_id: comment.id } }),
    );
    const thread = await collect(
      pages((query) =>
        anonymous.GET("/v1/posts/{post}/comments", { params: { ...params, query: { limit: 1, ...query } } }),
      ),
    );
    assert.deepEqual(
      thread.map(({ body, depth }) => [body, depth]),
      [
        ["Well said.", 0],
        ["Indeed.", 1],
        ["Another.", 0],
      ],
    );
  });
});

describe("problems", () => {
  it("name every field at fault", async () => {
    const result = await api.POST("/v1/posts", { body: { title: "", body: "x", tags: ["", "ok"] } });
    if (result.error === undefined) assert.fail("an empty title was taken");
    // The compiler knows by now that there is a problem and no post.
    const { status, code, errors, request_id } = result.error satisfies Problem;
    assert.deepEqual([status, code], [422, "invalid"]);
    assert.deepEqual(
      errors.map((error) => [error.field, error.code]),
      [
        ["title", "too_short"],
        ["tags[0]", "too_short"],
      ],
    );
    assert.equal(result.response.headers.get("X-Request-Id"), request_id);
  });

  it("are the same shape for whatever goes wrong", async () => {
    const nobody = client(baseUrl, "blog_not-a-token");
    assert.equal(problem(await nobody.GET("/v1/users/me")).code, "unauthenticated");
    assert.equal(problem(await api.GET("/v1/users")).code, "forbidden");
    const taken = await anonymous.POST("/v1/users", { body: { username: "ADA", email: "other@example.com", password } });
    assert.deepEqual(
      problem(taken).errors.map(({ field, code }) => [field, code]),
      [["username", "taken"]],
    );
    const cursor = await anonymous.GET("/v1/posts", { params: { query: { cursor: "abc" } } });
    assert.equal(problem(cursor).code, "malformed_parameter");
    await assert.rejects(
      collect(pages((query) => api.GET("/v1/users", { params: { query } }))),
      (error) => error instanceof ApiError && error.problem.status === 403,
    );
  });
});

/** What the compiler refuses. Never called: an error that is not there any more is itself an error. */
export async function mistakes() {
  // @ts-expect-error There is no such path.
  await api.GET("/v1/nothing");
  // @ts-expect-error A post has no such method.
  await api.PUT("/v1/posts/{post}", { params: { path: { post: "x" } } });
  // @ts-expect-error A post has a text.
  await api.POST("/v1/posts", { body: { title: "x" } });
  // @ts-expect-error A title is a text.
  await api.POST("/v1/posts", { body: { title: 1, body: "x" } });
  // @ts-expect-error A status that a post cannot have.
  await api.POST("/v1/posts", { body: { title: "x", body: "x", status: "lost" } });
  // @ts-expect-error A number of posts is a number.
  await api.GET("/v1/posts", { params: { query: { limit: "ten" } } });
  // It is on if nothing is said.
  await api.POST("/v1/webhooks", { body: { url: "https://x.example", events: ["post.published"] } });
  // @ts-expect-error An event that there is not.
  await api.POST("/v1/webhooks", { body: { url: "https://x.example", events: ["post.lost"] } });
  const { data } = await api.GET("/v1/posts/{post}", { params: { path: { post: "x" } } });
  // @ts-expect-error It may not have been found.
  data.title;
  // @ts-expect-error A draft has no time of publication.
  if (data !== undefined) new Date(data.published_at);
}
