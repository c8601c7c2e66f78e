// Requests to the server.

export class Refused extends Error {}

function token() {
  return document.querySelector('meta[name="csrf-token"]').content;
}

// What an answer says of its error (problem+json), or else its status.
function readProblem(text, status) {
  try {
    const problem = JSON.parse(text);
    return problem.detail || problem.title || `HTTP ${status}`;
  } catch {
    return `HTTP ${status}`;
  }
}

export async function getJson(url) {
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  const text = await response.text();
  if (!response.ok) throw new Refused(readProblem(text, response.status));
  return JSON.parse(text);
}

export async function getText(url, type) {
  const response = await fetch(url, { headers: { Accept: type } });
  const text = await response.text();
  if (!response.ok) throw new Refused(readProblem(text, response.status));
  return text;
}

export async function post(url, form) {
  const headers = { Accept: "application/json, text/csv", "X-CSRF-Token": token() };
  const response = await fetch(url, { method: "POST", body: form, headers });
  if (!response.ok) throw new Refused(readProblem(await response.text(), response.status));
  return response;
}

// Sends a form and tells how much of it has gone; `fetch` cannot do that.
export function send(url, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRF-Token", token());
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => {
      if (request.status >= 200 && request.status < 300) resolve(JSON.parse(request.responseText));
      else reject(new Refused(readProblem(request.responseText, request.status)));
    });
    for (const end of ["error", "abort", "timeout"]) request.addEventListener(end, () => reject(new Error(end)));
    request.send(form);
  });
}

export function wait(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
