// Upload of files, with the progress of the upload and of the analysis.

import { divide } from "./batches.js";
import { getJson, Refused, send, wait } from "./server.js";
import { fill, readWords } from "./words.js";

const POLL_MS = 500;

export class Upload {
  constructor(form, onRecords) {
    this.form = form;
    this.words = readWords(form);
    this.onRecords = onRecords;
    this.box = document.getElementById("progress");
    this.bar = document.getElementById("progress-bar");
    this.text = document.getElementById("progress-text");
    this.bad = document.getElementById("bad-files");
    this.isBusy = false;
  }

  async run(files) {
    if (this.isBusy) return;
    if (!files.length) return this.say(this.words.none);
    this.isBusy = true;
    this.start();
    try {
      const uploads = await this.sendAll(files);
      await this.follow(uploads);
    } catch (error) {
      this.say(error instanceof Refused ? error.message : this.words.lost);
    } finally {
      this.isBusy = false;
      this.bar.hidden = true;
      this.form.querySelector("#send").disabled = false;
    }
  }

  start() {
    this.n_refused = 0;
    this.bad.querySelector("ul").replaceChildren();
    this.bad.querySelector("h3").hidden = true;
    this.bar.hidden = false;
    this.form.querySelector("#send").disabled = true;
  }

  say(text) {
    this.box.hidden = false;
    // A screen reader reads each change aloud.
    if (this.text.textContent !== text) this.text.textContent = text;
  }

  async sendAll(files) {
    const total = files.reduce((sum, file) => sum + file.size, 0) || 1;
    let gone = 0;
    const uploads = [];
    const batches = divide(files);
    while (batches.length) {
      const batch = batches.shift();
      const onProgress = (loaded) => this.showSent(Math.min(1, (gone + loaded) / total));
      try {
        const answer = await send("/v1/uploads", this.makeForm(batch), onProgress);
        for (const file of answer.files) if (file.status !== "accepted") this.refuse(file.name, file.reason, file.kind);
        uploads.push(answer.upload);
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // One file may be the cause: then the others go by themselves.
        if (batch.length > 1) batches.unshift(...batch.map((file) => [file]));
        else this.refuse(batch[0].name, error.message);
        if (batch.length > 1) continue;
      }
      gone += batch.reduce((sum, file) => sum + file.size, 0);
      await this.onRecords();
    }
    return uploads;
  }

  makeForm(files) {
    const form = new FormData();
    for (const file of files) form.append("files", file, file.name);
    for (const field of this.form.querySelectorAll(".declared-fields input, .declared-fields select")) {
      if (field.value) form.append(field.name, field.value);
    }
    return form;
  }

  showSent(share) {
    this.bar.value = share;
    this.say(fill(this.words.sending, { percent: Math.floor(10 * share) * 10 }));
  }

  refuse(name, reason, kind) {
    this.n_refused += 1;
    this.box.hidden = false;
    const line = document.createElement("li");
    const title = document.createElement("b");
    const isolated = document.createElement("bdi");
    isolated.textContent = name;
    title.append(isolated);
    line.append(title, " ", ...this.describe(reason ?? "", kind));
    this.bad.querySelector("ul").append(line);
    this.bad.querySelector("h3").hidden = false;
  }

  // The kind of a refusal in the reader's language, and the English message, which calls the fields as the page does.
  describe(reason, kind) {
    const original = document.createElement("span");
    original.lang = "en";
    original.textContent = Object.entries(this.words.fields).reduce(
      (text, [field, label]) => text.replaceAll(`the field "${field}"`, label), reason);
    const translated = this.words.kinds[kind];
    if (!translated) return [original];
    original.className = "original";
    return [translated, original];
  }

  async follow(uploads) {
    let open = uploads;
    const states = new Map();
    const told = new Set();
    let shown = -1;
    while (open.length) {
      for (const id of open) states.set(id, await getJson(`/v1/uploads/${encodeURIComponent(id)}`));
      const sums = { total: 0, done: 0, failed: 0 };
      for (const state of states.values()) for (const key of Object.keys(sums)) sums[key] += state[key];
      open = open.filter((id) => states.get(id).done + states.get(id).failed < states.get(id).total);
      this.bar.value = sums.total ? (sums.done + sums.failed) / sums.total : 1;
      this.say(fill(this.words.analysing, { done: sums.done + sums.failed, total: sums.total }));
      if (shown !== sums.done + sums.failed) await this.onRecords();
      shown = sums.done + sums.failed;
      if (open.length) await wait(POLL_MS);
    }
    for (const state of states.values()) {
      for (const record of state.records) {
        if (record.status !== "failed" || told.has(record.id)) continue;
        told.add(record.id);
        const { reason } = await getJson(`/v1/records/${encodeURIComponent(record.id)}`);
        this.refuse(record.name, reason);
      }
    }
    const done = [...states.values()].reduce((sum, state) => sum + state.done, 0);
    this.say(fill(this.words.done, { done, failed: this.n_refused }));
  }
}
