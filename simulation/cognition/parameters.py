"""Every constant of cognition in one frozen table, each with its source.

Sources are rows of the calibration table (README) or the literature named; '?' marks a value that was recalled and
not re-read, and 'chosen' one that no paper gives: it was set so that the population behaves as the rows say.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Constants of the kernels. Times in minutes, rates a minute, states in [0, 1], effects in units of the state."""

    # Sleep pressure: exponential rise awake and fall asleep (Daan, Beersma & Borbély 1984: 18.2 h and 4.2 h).
    pressure_rise: float = 18.2 * 60.0
    pressure_fall: float = 4.2 * 60.0
    # Mental effort: time constants of tiring in a session and of recovering outside or asleep. Chosen.
    effort_rise: float = 200.0
    effort_rest: float = 60.0
    effort_sleep: float = 40.0
    # Fatigue is the mean of pressure and effort, less a circadian part that peaks in the late afternoon
    # (Dijk & Czeisler 1995 ?; amplitude chosen).
    circadian: float = 0.12
    # Sleep debt: pressure averaged over the last days (a slow second process, McCauley 2009: direction; time chosen),
    # 0.38 for somebody who sleeps 7.5 h. `bed_limit`: minutes in bed at most, for studies of sleep restriction.
    debt_memory: float = 8.0 * 24.0 * 60.0
    debt_rested: float = 0.40
    fatigue_debt: float = 0.6
    bed_limit: float = 1440.0
    # At weekends the body's day runs later (row 6: 2 h).
    weekend_delay: float = 120.0
    circadian_peak: float = 17.0

    # Focus returns to its target within minutes; the target falls with fatigue, with time on task
    # (Parasuraman 1979: direction; most of the decrement in the first 20 to 35 minutes ?), and on either side
    # of the best arousal (Yerkes & Dodson 1908: inverted U).
    focus_return: float = 7.0
    focus_noise: float = 0.035
    focus_fatigue: float = 0.65
    vigilance_loss: float = 0.28
    vigilance_time: float = 22.0
    arousal_best: float = 0.32
    arousal_curve: float = 1.1

    # Mind-wandering: episodes that begin and end at a rate (a two-state Markov process), 46.9% of sampled moments
    # (row 1); longer and more often when tired, stressed and unfocused (Smallwood & Schooler 2015: directions).
    wander_onset: float = 1.0 / 12.2
    wander_end: float = 1.0 / 22.0
    wander_fatigue: float = 2.2
    wander_stress: float = 1.2
    wander_focus: float = 1.6
    # Topics: pleasant 42.5%, neutral 31%, unpleasant 26.5% (row 2). What each adds to the feeling of the moment while
    # it lasts: b/50 of row 3 ?.
    topic_pleasant: float = 0.425
    topic_neutral: float = 0.31
    pleasant_mood: float = -0.01
    neutral_mood: float = -0.144
    unpleasant_mood: float = -0.478

    # Stress: returns to rest; strains come as episodes of 10 to 45 minutes. Chosen.
    stress_rest: float = 0.24
    stress_person: float = 0.08
    stress_return: float = 25.0
    strain_onset: float = 1.0 / 150.0
    strain_shortest: float = 10.0
    strain_range: float = 35.0
    strain_level: float = 0.25
    strain_spread: float = 0.35

    # Mood: AR(1); what is asked between prompts is the feeling, whose thoughts forget, so the mood must last longer
    # than the .30 of row 4 says (fitted). Over the day, two peaks, early and late (row 6; amplitude chosen). The noise,
    # a minute in a session and each 8 minutes outside, gives a standard deviation of about .2 between moments.
    mood_return: float = 210.0
    mood_noise: float = 0.0197
    mood_noise_outside: float = 0.0557
    mood_day: float = 0.12
    mood_stress: float = 0.55
    # Symptom scales ask about the last two weeks (Kroenke 2001; Spitzer 2006).
    symptom_memory: float = 14.0 * 24.0 * 60.0
    # Contagion over the circle, a minute, of stress and mood (Kramer 2014: direction, small; size chosen).
    contagion: float = 0.12

    # Practices: the most that one of ten minutes leaves behind, fading by half in about an hour; `kinds.py` has what
    # share of it each kind gives. Set so that the effect on attention is some .1 to .2 of a standard deviation while it
    # lasts and far less over a day (rows 18 to 21). What lifts the mood fades as moods do; row 19's range for negative
    # affect is what limits it (mood differs between moments by about .2).
    practice: float = 1.0
    practice_fade: float = 80.0
    practice_ease: float = 0.16
    practice_awareness: float = 0.55
    practice_drive: float = 0.10
    practice_lift: float = 0.04
    # What a minute of settling in or of closing gives against one of the core. Chosen.
    settling_weight: float = 0.20
    closing_weight: float = 0.40
    # Skill builds up with practices and fades over weeks; at 1 it changes rest and control by so much (rows 18 to 20).
    skill_step: float = 0.03
    skill_fade: float = 40.0 * 24.0 * 60.0
    skill_cheer: float = 0.17
    skill_calm: float = 0.038
    skill_aware: float = 0.15
    skill_focus: float = 0.03
    skill_quick: float = 0.023
    skill_span: float = 0.21
    # Habituation: the next practice gives 1/(1 + habit) of the first; habit fades over three days (row 22: the
    # effect of prompts falls to nothing within weeks; form chosen).
    habit_step: float = 0.25
    habit_fade: float = 3.0 * 24.0 * 60.0
    # While a practice runs, what else would have happened does not (1), or does (0).
    displaces: float = 1.0
    # An offer interrupts (row 11: direction; Mark 2008 ?: minutes to resume): focus dips, stress rises a little.
    interruption: float = 1.0
    broken_step: float = 0.16
    broken_fade: float = 9.0
    broken_stress: float = 0.02
    # Burden of offers, fading over a day. Chosen.
    burden_step: float = 0.14
    burden_fade: float = 24.0 * 60.0
    # Trust in what is offered: a practice that does something adds to it, offers on top of offers take from it. Chosen.
    trust_gain: float = 0.02
    trust_loss: float = 0.01
    # Natural breaks: stretches of minutes in which people are open to something else, and those between. Chosen.
    open_minutes: float = 9.0
    closed_minutes: float = 14.0
    # Taking up an offer: log-odds. 15 to 25% of notifications are taken up (row 10); an offer of rest meets a
    # stressed or bored person more gladly than one at work (rows 12 to 14: directions); what is offered often is
    # heeded less, for weeks (row 22).
    accept_base: float = -1.4
    accept_stress: float = 1.6
    accept_wandering: float = 0.7
    accept_busy: float = -1.1
    accept_open: float = 0.9
    accept_burden: float = -1.2
    accept_habit: float = -0.2
    accept_prompted: float = -0.10
    accept_trust: float = 1.0
    accept_left: float = 1.0
    prompted_fade: float = 30.0 * 24.0 * 60.0
    # Chance that a practice of ten minutes is broken off; `kinds.py` has factors. Chosen.
    abandon: float = 0.22
    # Practising unasked in a session, a minute: keen people far more often than others (rows 12 and 13).
    own_rate: float = 0.0046
    own_keen: float = 1.2
    own_trust: float = 1.0
    own_open: float = 1.0
    own_again: float = 600.0
    # Giving up, a day: most who merely install an app leave in the first days (row 15); who is enrolled, as in a trial
    # or by an employer, seldom does (row 17). `enrolled` 1 by default.
    enrolled: float = 1.0
    leave_new: float = 0.86
    leave_new_days: float = 3.0
    leave_later: float = 0.011
    enrolled_new: float = 0.955
    enrolled_later: float = 0.70
    leave_trust: float = 1.0

    # Noticing an exposure: attention on the task, or capture by what is strongly worded or important. Chosen.
    notice_base: float = 0.55
    notice_focus: float = 0.55
    notice_wandering: float = 0.10
    notice_capture: float = 0.75
    # Answering what was noticed: log-odds. A tired person answers only what matters (Hockey 1997: direction); one
    # who has just answered answers again (row 8: bursts); one with a full plate does not. Sizes chosen.
    answer_weight: float = 1.7
    answer_fatigue: float = 6.0
    answer_tired: float = 2.4
    answer_taste: float = 3.2
    answer_interest: float = 1.9
    answer_momentum: float = 1.1
    answer_load: float = 0.35
    answer_mood: float = 0.5
    answer_day: float = 0.5
    momentum_fade: float = 12.0
    load_fade: float = 10.0
    answer_delay: float = 2.2
    returns: float = 0.75

    # Memory of lessons: the default weights of FSRS version 4 (w0, w2, w8, w9, w10). Days after which a tenth is lost
    # of a first lesson, not attended to and attended to; logarithm of how these grow, less where they are many and more
    # where much is lost.
    memory_least: float = 0.4
    memory_first: float = 2.4
    memory_growth: float = 1.49
    memory_saturation: float = 0.14
    memory_spacing: float = 0.94
    # A quiz rests by so much on earlier lessons, and for the rest on this one; what is hard for somebody takes away up
    # to so much of what they know. A quiz that is answered counts as so many attended minutes (testing effect: Roediger
    # & Karpicke 2006: direction). Chosen.
    quiz_foundation: float = 0.6
    quiz_hardness: float = 0.7
    quiz_focus: float = 0.45
    quiz_minutes: float = 3.0

    # Attention checks: log-odds of failing. Wandering deepens over the first minutes of an episode. Chosen so that
    # a wandering mind fails about half of them and an attentive one some 5% (Cheyne, Carriere & Smilek 2006 ?).
    check_base: float = -2.7
    check_wandering: float = 3.4
    check_depth: float = 3.0
    check_fatigue: float = 2.2
    check_focus: float = 2.4
    # Checks a minute in a session: so many that half of all moments have one within ten minutes.
    attention_checks: float = 0.075
    memory_checks: float = 0.004
    reaction_checks: float = 0.012
    # Reaction times, ex-Gaussian, ms, of a rested person (row 26: 257 ms on the first day); what tiredness of the day,
    # wandering and sleep debt (row 26: 351 ms on the tenth) add; lapse of the reaction test at 500 ms (row 27).
    reaction_mu: float = 230.0
    reaction_sigma: float = 30.0
    reaction_tau: float = 50.0
    reaction_tired: float = 0.25
    reaction_debt: float = 1.35
    reaction_wandering: float = 0.12
    reaction_tail: float = 4.0
    fatigue_rested: float = 0.25
    reaction_lapse: float = 500.0

    # Sensors: readings a minute, noise, and stretches without a reading. Chosen.
    gaze_rate: float = 0.19
    gaze_floor: float = 0.36
    gaze_span: float = 0.62
    # A wandering gaze is stuck on the spot (longer, fewer fixations: Reichle, Reineberg & Schooler 2010) or goes
    # astray; an attentive one moves about the task and its surroundings. Shares chosen.
    gaze_stare: float = 0.45
    gaze_stuck: float = 0.95
    gaze_astray: float = 0.34
    gaze_noise: float = 0.08
    gaze_loss: float = 1.0 / 200.0
    gaze_loss_shortest: float = 8.0
    gaze_loss_range: float = 40.0
    emotion_rate: float = 0.06
    emotion_noise: float = 0.22
    # What the topic of a wandering mind adds to the face. Chosen.
    emotion_pleasant: float = 0.30
    emotion_unpleasant: float = -0.38

    # Sessions: Weibull lengths and gaps, chosen for a few hours a day; games as row 9 has them.
    game_scale: float = 20.0
    game_shape: float = 0.5
    session_scale: float = 29.0
    session_shape: float = 0.85
    gap_scale: float = 140.0
    gap_shape: float = 0.75
    stay_scale: float = 22.0
    stay_shape: float = 0.9
    stay_moves: float = 0.6
