// Adds an application to a guild: login, choice of a guild and of permissions, consent.
// The token is only in the memory of this page. Names from the server are only ever set as text.

"use strict";

(() => {
  const ADMINISTRATOR = 1n << 3n;
  const MANAGE_GUILD = 1n << 5n;
  const INVALID_TICKET = 60006;
  const base = new URL("../../", document.currentScript.src);
  const link = new URLSearchParams(location.search);
  const element = (id) => document.getElementById(id);
  const boxes = [...document.querySelectorAll("#permissions input")];
  let token = "";
  let preview = null;
  let challenge = null; // of a login with a second factor

  class Refused extends Error {}

  const call = async (method, path, body) => {
    const headers = { Accept: "application/json" };
    if (token) headers.Authorization = `Bearer ${token}`;
    if (body !== undefined) headers["Content-Type"] = "application/json";
    let response;
    try {
      response = await fetch(new URL(path, base), {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        credentials: "omit",
        redirect: "error",
      });
    } catch {
      throw new Refused("The server cannot be reached. Try again.");
    }
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) {
      const refused = new Refused(reason(response.status, answer));
      throw Object.assign(refused, { code: answer?.code });
    }
    return answer;
  };

  const reason = (status, answer) => {
    if (status === 429) return "Too many attempts. Wait a moment, and try again.";
    if (answer?.errors?.password?._errors?.[0]?.code === "INVALID_LOGIN") {
      return "The email address or the password is wrong.";
    }
    if (answer?.code === 60008) return "This code is wrong, or was used before.";
    const fields = Object.entries(answer?.errors ?? {}).map(
      ([name, each]) => `${name}: ${each._errors?.[0]?.message ?? "invalid"}`,
    );
    return fields.join("; ") || answer?.message || `The server answered with status ${status}.`;
  };

  const showOnly = (id) => {
    for (const form of document.forms) form.hidden = form.id !== id;
  };

  // Runs what a form does, with its buttons disabled; shows why it was refused.
  const attempt = async (form, action) => {
    const buttons = [...form.querySelectorAll("button")];
    element("error").textContent = "";
    for (const each of buttons) each.disabled = true;
    try {
      await action();
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      element("error").textContent = error.message;
    } finally {
      for (const each of buttons) each.disabled = false;
    }
  };

  const logOut = async () => {
    if (!token) return;
    const ended = fetch(new URL("auth/logout", base), {
      method: "POST",
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      body: "{}",
      credentials: "omit",
      keepalive: true,
    });
    token = "";
    await ended.catch(() => null);
  };

  const finish = async (text) => {
    await logOut();
    showOnly("");
    element("title").textContent = text;
    element("title").focus();
    element("status").textContent = "You can close this page.";
  };

  const bits = (text) => (/^[0-9]{1,20}$/.test(text ?? "") ? BigInt(text) : 0n);

  const asked = () => {
    const { application, integration_type: kind } = preview;
    const defaults =
      application.integration_types_config[kind]?.oauth2_install_params ??
      application.install_params;
    const own = link.get("scope") === null ? defaults?.permissions : null;
    return bits(link.get("permissions") ?? own);
  };

  const show = () => {
    const { application, user, bot, guilds } = preview;
    element("name").textContent = application.name;
    element("description").textContent = application.description;
    element("user").textContent = user.username;
    element("icon").hidden = !application.icon;
    if (application.icon) {
      const path = `app-icons/${application.id}/${application.icon}.png`;
      element("icon").src = new URL(path, base).href;
    }
    element("choose").hidden = !guilds;
    element("permissions").hidden = !bot;
    if (!guilds) {
      element("asks").textContent = preview.authorized
        ? "The application is in your account already."
        : "The application asks to be added to your account. You can use its commands everywhere.";
    } else if (bot) {
      element("asks").textContent = "The application asks to add its bot to a guild.";
    } else {
      element("asks").textContent =
        "The application asks to offer its commands to the members of a guild. It adds no bot.";
    }
    if (guilds) fillGuilds(guilds);
    showOnly("consent");
    element("name").focus();
  };

  const mayManage = (guild) => (bits(guild.permissions) & (MANAGE_GUILD | ADMINISTRATOR)) !== 0n;

  const fillGuilds = (guilds) => {
    const select = element("guild");
    const own = guilds.filter(mayManage);
    select.replaceChildren(...own.map((guild) => new Option(guild.name, guild.id)));
    const wanted = link.get("guild_id");
    const isThere = own.some((guild) => guild.id === wanted);
    if (isThere) select.value = wanted;
    const isFixed = wanted !== null && link.get("disable_guild_select") === "true";
    select.disabled = isFixed;
    if (isFixed && !isThere) {
      throw new Refused("You cannot add applications to the guild of this link.");
    }
    if (!own.length) {
      throw new Refused("You can add applications only to guilds that you manage (MANAGE_GUILD).");
    }
    fillPermissions();
  };

  const fillPermissions = () => {
    const guild = preview.guilds.find((each) => each.id === element("guild").value);
    const own = bits(guild.permissions);
    const wanted = asked();
    let isShort = false;
    let shown = 0;
    for (const box of boxes) {
      const bit = BigInt(box.value);
      const isHeld = (own & (bit | ADMINISTRATOR)) !== 0n;
      const isAsked = (wanted & bit) !== 0n;
      box.closest("li").hidden = !isAsked;
      box.disabled = !isHeld;
      box.checked = isAsked && isHeld;
      isShort ||= isAsked && !isHeld;
      shown += isAsked;
    }
    element("hint").textContent = [
      shown
        ? "The bot gets a role with the permissions that you check."
        : "The bot asks for no permissions, and gets no role.",
      wanted & ADMINISTRATOR ? "An administrator may do everything in the guild." : "",
      isShort ? "You cannot grant permissions that you do not have." : "",
    ]
      .filter(Boolean)
      .join(" ");
  };

  const granted = () =>
    boxes
      .filter((box) => box.checked && !box.disabled)
      .reduce((sum, box) => sum | BigInt(box.value), 0n)
      .toString();

  const authorize = async () => {
    const body = { authorize: true, integration_type: preview.integration_type };
    const select = element("guild");
    if (preview.guilds) body.guild_id = select.value;
    if (preview.bot) body.permissions = granted();
    await call("POST", `oauth2/authorize?${link}`, body);
    const place = preview.guilds ? select.selectedOptions[0].textContent : "your account";
    await finish(`${preview.application.name} was added to ${place}.`);
  };

  const enter = async (login) => {
    token = login.access_token;
    try {
      preview = await call("GET", `oauth2/authorize?${link}`);
      show();
    } catch (error) {
      await logOut();
      showOnly("");
      throw error;
    }
  };

  const askForFactor = (answer) => {
    challenge = answer;
    const byCode = answer.totp || answer.backup;
    element("by-code").hidden = element("send-code").hidden = !byCode;
    element("passkey").hidden = !answer.webauthn || !window.PublicKeyCredential;
    showOnly("factor");
    element(byCode ? "code" : "passkey").focus();
  };

  const finishLogin = async (kind, code) => {
    const { ticket } = challenge;
    let login;
    try {
      login = await call("POST", `auth/mfa/${kind}`, { ticket, code });
    } catch (error) {
      element("code").value = "";
      if (error.code !== INVALID_TICKET) throw error;
      showOnly("login");
      throw new Refused("This took too long, or had too many tries. Log in again.");
    }
    element("code").value = "";
    await enter(login);
  };

  const usePasskey = async () => {
    const { publicKey } = JSON.parse(challenge.webauthn);
    publicKey.challenge = bytes(publicKey.challenge);
    for (const each of publicKey.allowCredentials) each.id = bytes(each.id);
    let credential;
    try {
      credential = await navigator.credentials.get({ publicKey });
    } catch {
      throw new Refused("The passkey was not used.");
    }
    const { authenticatorData, clientDataJSON, signature } = credential.response;
    const response = {
      authenticatorData: text(authenticatorData),
      clientDataJSON: text(clientDataJSON),
      signature: text(signature),
    };
    await finishLogin("webauthn", JSON.stringify({ rawId: text(credential.rawId), response }));
  };

  const bytes = (base64url) =>
    Uint8Array.from(atob(base64url.replace(/-/g, "+").replace(/_/g, "/")), (each) =>
      each.charCodeAt(0),
    );
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));

  element("login").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(event.target, async () => {
      const [email, password] = ["email", "password"].map((name) => element(name).value);
      const login = await call("POST", "auth/login", { email, password });
      element("password").value = "";
      if (login.mfa) askForFactor(login);
      else await enter(login);
    });
  });
  element("factor").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(event.target, async () => {
      await finishLogin("totp", element("code").value);
    });
  });
  element("passkey").addEventListener("click", () => attempt(element("factor"), usePasskey));

  element("consent").addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(event.target, authorize);
  });
  element("cancel").addEventListener("click", () => finish("Nothing was added."));
  element("guild").addEventListener("change", fillPermissions);
  addEventListener("pagehide", logOut);

  for (const id of ["title", "name"]) element(id).tabIndex = -1; // focused when they change
  if (/^[0-9]{1,19}$/.test(link.get("client_id") ?? "")) {
    showOnly("login");
    element("email").focus();
  } else {
    element("error").textContent = "This link names no application (client_id).";
  }
})();
