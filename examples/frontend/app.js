// The whole way of an account with JSON: sign up, verify, log in, reset, change the address.
'use strict';

// What a link brings. It is taken out of the address bar, so that it is in no bookmark and no history.
let token = '';

// One call of the API. An error has `message`, and `errors` for fields: [{field, message}].
async function call(method, path, body, bearer) {
  const headers = {};
  if (body) headers['Content-Type'] = 'application/json';
  if (bearer) headers['Authorization'] = `Bearer ${bearer}`;
  const response = await fetch(API + path, {method, headers, body: body && JSON.stringify(body)});
  const answer = await response.json();
  if (response.ok) return answer;
  const fields = (answer.errors ?? []).map(({field, message}) => `${field} ${message}`);
  throw Object.assign(new Error([answer.message, ...fields].join('. ')), {status: response.status});
}

// A call of the person who is logged in. An access token that has expired is renewed once.
async function callAsMe(method, path, body) {
  const session = JSON.parse(sessionStorage.getItem('session') ?? '{}');
  try {
    return await call(method, path, body, session.access);
  } catch (error) {
    if (error.status !== 401 || !session.refresh) throw error;
    const renewed = await call('POST', '/refresh_token', null, session.refresh);
    session.access = renewed.access_token;
    session.refresh = renewed.refresh_token ?? session.refresh;
    sessionStorage.setItem('session', JSON.stringify(session));
    return call(method, path, body, session.access);
  }
}

// What each form does with its fields. The result is shown.
const actions = {
  async signUp(fields) {
    await call('POST', '/signup', fields);
    location.hash = '#/check-email';
    return `We sent an email to ${fields.email}.`;
  },
  resend: async (fields) => (await call('POST', '/resend-verification', fields)).message,
  verifyByCode: async (fields) => (await call('POST', '/verify', fields)).message,
  verify: async () => (await call('POST', `/verify/${token}`)).message,
  notMe: async () => (await call('POST', `/not-me/${token}`)).message,
  async logIn(fields) {
    const {access_token: access, refresh_token: refresh} = await call('POST', '/login', fields);
    sessionStorage.setItem('session', JSON.stringify({access, refresh}));
    location.hash = '#/me';
    return 'You are logged in.';
  },
  async logOut() {
    const {message} = await callAsMe('POST', '/logout');
    sessionStorage.removeItem('session');
    location.hash = '#/log-in';
    return message;
  },
  forgotten: async (fields) => (await call('POST', '/password-reset-request', fields)).message,
  resetByCode: async (fields) => (await call('POST', '/password-reset-confirm', fields)).message,
  reset: async (fields) => (await call('POST', `/password-reset-confirm/${token}`, fields)).message,
  changeAddress: async (fields) => (await callAsMe('POST', '/email-change-request', fields)).message,
  addressByCode: async (fields) => (await callAsMe('POST', '/email-change-confirm', fields)).message,
  confirmAddress: async () => (await call('POST', `/email-change-confirm/${token}`)).message,
  undo: async () => (await call('POST', `/email-change-undo/${token}`)).message,
};

// What a page loads when it is shown.
const loads = {
  async me() {
    const me = await callAsMe('GET', '/me');
    document.getElementById('account').textContent = `${me.first_name} ${me.last_name}, ${me.email}`;
  },
};

function say(text) {
  document.getElementById('answer').textContent = text;
}

// Shows the page that the fragment names: `#/verify?token=…`. Opening a link does nothing else: mail scanners open links
// too, so a person presses a button.
async function show() {
  const [name, query] = location.hash.replace('#/', '').split('?');
  const given = new URLSearchParams(query).get('token');
  if (given) {
    token = given;
    history.replaceState(null, '', `#/${name}`);
    say('');
  }
  const page = document.querySelector(`template[id="${CSS.escape(name)}"]`) ?? document.getElementById('sign-up');
  document.querySelector('main').replaceChildren(page.content.cloneNode(true));
  await report(async () => loads[page.id]?.());
}

async function report(work) {
  try {
    const text = await work();
    if (text) say(text);
  } catch (error) {
    say(error.message);
  }
}

document.addEventListener('submit', (event) => {
  event.preventDefault();
  const form = event.target;
  say('');
  report(() => actions[form.dataset.action](Object.fromEntries(new FormData(form))));
});
addEventListener('hashchange', show);
show();
