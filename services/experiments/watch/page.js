"use strict";
// Asks for what is new twice a second and draws it. No library, nothing from outside.
const MOST = 720, seen = [];
let last = -1, paused = false, begun = false;
const at = (id) => document.getElementById(id);
const share = (value) => value === null ? "–" : `${Math.round(100 * value)}%`;
const number = (value, digits = 2) => value === null ? "–" : value.toFixed(digits).replace("-", "−");
const whole = (value) => value.toLocaleString("en");

async function ask() {
  try {
    const answer = await (await fetch(`/looks?since=${last}`)).json();
    if (!begun) takePace(answer.pace);
    for (const look of answer.looks) { seen.push(look); last = look.tick; }
    seen.splice(0, seen.length - MOST);
    if (seen.length) draw(seen[seen.length - 1], answer);
  } catch (problem) {
    at("state").textContent = "The population is gone: start the command again";
    at("verdict").className = "verdict bad";
  }
  setTimeout(ask, 500);
}

function draw(now, answer) {
  const day = new Date(now.time);
  const when = day.toLocaleString("en-GB", {weekday: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC"});
  at("verdict").className = "verdict ok";
  at("state").textContent = `${when} UTC${answer.over ? ", the last minute" : answer.pace === 0 ? ", paused" : ""}`;
  at("sentence").textContent = `${whole(now.inside)} of ${whole(now.people)} people are in a world; ` +
    `the minds of ${share(now.wandering)} of them wander, and ${whole(now.practising)} practise.`;
  at("actual").textContent = answer.pace === 0 || answer.over ? "" : `${whole(Math.round(answer.minutes_per_second))} reached`;
  drawWorlds(now);
  drawCircles(now.circles);
  at("offers").textContent = whole(now.offers);
  at("practising").textContent = whole(now.practising);
  at("practised").textContent = whole(now.practice_minutes);
}

function drawWorlds(now) {
  const all = seen.flatMap((look) => look.worlds.map((world) => world.focus)).filter((value) => value !== null);
  const low = Math.floor(10 * Math.min(...all, 0.5)) / 10, high = Math.ceil(10 * Math.max(...all, 0.5)) / 10 || 1;
  now.worlds.forEach((world, place) => {
    const box = document.querySelector(`[data-world="${world.name}"]`);
    const field = (name) => box.querySelector(`[data-field="${name}"]`);
    field("people").textContent = `${whole(world.people)} people`;
    for (const name of ["stress", "mood"]) field(name).textContent = number(world[name]);
    field("wandering").textContent = share(world.wandering);
    field("top").textContent = high.toFixed(1);
    field("bottom").textContent = low.toFixed(1);
    const y = (value) => 80 - 70 * (value - low) / Math.max(high - low, 0.1);
    const x = (index) => 34 + 180 * index / Math.max(seen.length - 1, 1);
    let pen = "M";
    const path = seen.map((look, index) => {
      const value = look.worlds[place].focus;
      if (value === null) { pen = "M"; return ""; }
      const step = `${pen}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      return step;
    });
    box.querySelector("path").setAttribute("d", path.join(""));
    field("now").textContent = number(world.focus);
    if (world.focus !== null) field("now").setAttribute("y", (y(world.focus) + 4).toFixed(1));
  });
  const minutes = now.tick - seen[0].tick + 1;
  at("focus-caption").textContent = `Mean focus of the people in each world over the last ${whole(minutes)} minutes.`;
}

function drawCircles(circles) {
  const canvas = at("circles"), size = 18, gap = 2, ratio = window.devicePixelRatio || 1;
  const width = canvas.parentElement.clientWidth, across = Math.max(1, Math.floor((width + gap) / (size + gap)));
  const height = Math.ceil(circles.stress.length / across) * (size + gap);
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  circles.stress.forEach((stress, index) => {
    const left = (index % across) * (size + gap), top = Math.floor(index / across) * (size + gap);
    pen.globalAlpha = 1;
    pen.fillStyle = style.getPropertyValue("--panel");
    pen.fillRect(left, top, size, size);
    if (stress === null) return;
    pen.globalAlpha = Math.min(1, Math.max(0.06, (stress - 0.1) / 0.6));
    pen.fillStyle = style.getPropertyValue("--vermillion");
    pen.fillRect(left, top, size, size);
  });
  const active = circles.stress.filter((stress) => stress !== null).length;
  const shown = circles.stress.length < circles.total ? `${whole(circles.stress.length)} of ${whole(circles.total)} circles` : `${whole(circles.total)} circles`;
  at("circles-caption").textContent = `Mean stress in ${shown} of friends, 0.1 (pale) to 0.7 (full); ${whole(active)} have ` +
    "somebody in a world. " + (circles.explained === null ? "" :
    `Whom one is with explains ${share(Math.max(0, circles.explained))} of the differences in stress (intraclass correlation).`);
}

function takePace(pace) {
  begun = true;
  paused = pace === 0;
  showPause();
  if (paused) return;
  const value = pace === null ? "" : String(pace);
  if (![...at("speed").options].some((option) => option.value === value)) at("speed").add(new Option(value, value), 0);
  at("speed").value = value;
}

function showPause() {
  at("pause").textContent = paused ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", String(paused));
}

function sendPace() {
  const speed = at("speed").value;
  const rate = paused ? 0 : speed === "" ? null : Number(speed);
  fetch("/pace", {method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify({minutes_per_second: rate})});
}
at("pause").addEventListener("click", () => {
  paused = !paused;
  showPause();
  sendPace();
});
at("speed").addEventListener("change", sendPace);
ask();
