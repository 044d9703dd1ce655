BEGIN;
-- isolation level: Read Committed

-- hold those that are due and free
SELECT cv.workspace, cv.id FROM convo_conversations cv FORCE INDEX (PRIMARY)
    WHERE cv.due_at <= ? AND (cv.workspace = ? AND cv.id IN (?, ?, ?,
        ?) OR cv.workspace = ? AND cv.id IN (?)) FOR UPDATE SKIP LOCKED;
-- parameters: 1 due_at, 2 workspace, 3 id, 4 id, 5 id, 6 id, 7 workspace, 8 id

-- load them
SELECT ct.workspace, ct.id, ct.version, ct.created_at, ct.updated_at, ct.seen_at, ct.blocked,
    ct.merged_into, ct.parent, ct.blocked_by, ct.name, ct.attributes, ct.erased_at,
    CASE WHEN cv.active THEN NULL ELSE (
        SELECT other.id FROM convo_active other FORCE INDEX (convo_active_slot)
        WHERE other.workspace = ct.workspace AND other.contact = ct.id
            AND other.lane = cv.lane) END,
    CASE WHEN cv.id IS NULL THEN EXISTS (
        SELECT 1 FROM convo_conversations any_lane FORCE INDEX (convo_conversations_contact)
        WHERE any_lane.workspace = ct.workspace AND any_lane.contact = ct.id)
        ELSE 1 = 1 END,
    cv.workspace, cv.id, cv.origin, cv.channel, cv.lane, cv.created_at, cv.contact, cv.new_contact,
        cv.status, cv.status_since, cv.version, cv.updated_at, cv.last_activity_at,
        cv.last_incoming_at, cv.first_closed_at, cv.assignee, cv.team, cv.assigned_at, cv.labels,
        cv.priority, cv.subject, cv.attributes, cv.pending_until, cv.on_receive,
        cv.awaiting_contact_since, cv.address_channel, cv.address, cv.marks, cv.deadline_at,
        cv.due_at, cv.applied, cv.unrated, cv.number, cv.opened_at, cv.opened_by_type,
        cv.opened_by_id, cv.opened_source, cv.first_assigned_at, cv.first_assignee,
        cv.last_assignee, cv.last_team, cv.first_response_at, cv.first_response_sent_at,
        cv.first_responder_type, cv.first_responder_id, cv.first_waiting_since, cv.waiting_since,
        cv.turn_since, cv.handed_over_at, cv.no_wait_before, cv.responses, cv.response_micros,
        cv.pending_micros, cv.incoming, cv.outgoing_user, cv.outgoing_automation, cv.rated_at,
        cv.score, cv.rating_comment, cv.closed_at, cv.closed_by_type, cv.closed_by_id,
        cv.closed_source, cv.category, cv.summary
    FROM convo_conversations cv FORCE INDEX (PRIMARY)
    JOIN convo_contacts ct FORCE INDEX (PRIMARY) ON ct.workspace = cv.workspace AND ct.id =
        cv.contact
    WHERE cv.due_at <= ? AND (cv.workspace = ? AND cv.id IN (?, ?, ?,
        ?) OR cv.workspace = ? AND cv.id IN (?));
-- parameters: 1 due_at, 2 workspace, 3 id, 4 id, 5 id, 6 id, 7 workspace, 8 id

-- commit
UPDATE JSON_TABLE(?, '$[*]' COLUMNS(workspace VARBINARY(255) PATH '$.workspace',
    id VARBINARY(36) PATH '$.id', status VARBINARY(255) PATH '$.status',
    status_since BIGINT PATH '$.status_since', version BIGINT PATH '$.version',
    updated_at BIGINT PATH '$.updated_at', last_activity_at BIGINT PATH '$.last_activity_at',
    last_incoming_at BIGINT PATH '$.last_incoming_at',
    first_closed_at BIGINT PATH '$.first_closed_at', assignee VARBINARY(255) PATH '$.assignee',
    team VARBINARY(255) PATH '$.team', assigned_at BIGINT PATH '$.assigned_at',
    labels LONGBLOB PATH '$.labels', priority INT PATH '$.priority',
    subject VARBINARY(998) PATH '$.subject', attributes LONGBLOB PATH '$.attributes',
    pending_until BIGINT PATH '$.pending_until', on_receive VARBINARY(255) PATH '$.on_receive',
    awaiting_contact_since BIGINT PATH '$.awaiting_contact_since',
    address_channel VARBINARY(255) PATH '$.address_channel',
    address VARBINARY(255) PATH '$.address', marks LONGBLOB PATH '$.marks',
    deadline_at BIGINT PATH '$.deadline_at', due_at BIGINT PATH '$.due_at',
    applied LONGBLOB PATH '$.applied', unrated INT PATH '$.unrated',
    active TINYINT PATH '$.active', number INT PATH '$.number',
    opened_at BIGINT PATH '$.opened_at', opened_by_type VARBINARY(255) PATH '$.opened_by_type',
    opened_by_id VARBINARY(255) PATH '$.opened_by_id',
    opened_source VARBINARY(255) PATH '$.opened_source',
    first_assigned_at BIGINT PATH '$.first_assigned_at',
    first_assignee VARBINARY(255) PATH '$.first_assignee',
    last_assignee VARBINARY(255) PATH '$.last_assignee',
    last_team VARBINARY(255) PATH '$.last_team', first_response_at BIGINT PATH
    '$.first_response_at', first_response_sent_at BIGINT PATH '$.first_response_sent_at',
    first_responder_type VARBINARY(255) PATH '$.first_responder_type',
    first_responder_id VARBINARY(255) PATH '$.first_responder_id',
    first_waiting_since BIGINT PATH '$.first_waiting_since',
    waiting_since BIGINT PATH '$.waiting_since', turn_since BIGINT PATH '$.turn_since',
    handed_over_at BIGINT PATH '$.handed_over_at', no_wait_before BIGINT PATH '$.no_wait_before',
    responses INT PATH '$.responses', response_micros BIGINT PATH '$.response_micros',
    pending_micros BIGINT PATH '$.pending_micros', incoming INT PATH '$.incoming',
    outgoing_user INT PATH '$.outgoing_user', outgoing_automation INT PATH '$.outgoing_automation',
    rated_at BIGINT PATH '$.rated_at', score INT PATH '$.score',
    rating_comment LONGBLOB PATH '$.rating_comment', closed_at BIGINT PATH '$.closed_at',
    closed_by_type VARBINARY(255) PATH '$.closed_by_type',
    closed_by_id VARBINARY(255) PATH '$.closed_by_id',
    closed_source VARBINARY(255) PATH '$.closed_source', category VARBINARY(255) PATH '$.category',
    summary LONGBLOB PATH '$.summary', expected BIGINT PATH '$.expected',
    deadline_before BIGINT PATH '$.deadline_before', due_before BIGINT PATH '$.due_before',
    applied_before LONGBLOB PATH '$.applied_before',
    contact_before VARBINARY(255) PATH '$.contact_before')) listed
    STRAIGHT_JOIN convo_conversations cv FORCE INDEX (PRIMARY)
    ON cv.workspace = listed.workspace AND cv.id = UNHEX(REPLACE(listed.id, '-',
        '')) AND cv.version = listed.expected
        AND COALESCE(cv.deadline_at, -62135596800000000) = listed.deadline_before
        AND COALESCE(cv.due_at, -62135596800000000) = listed.due_before
        AND COALESCE(cv.applied, '') = listed.applied_before
        AND cv.contact = listed.contact_before
    SET cv.status = listed.status, cv.status_since = listed.status_since,
        cv.version = listed.version, cv.updated_at = listed.updated_at,
        cv.last_activity_at = listed.last_activity_at,
        cv.last_incoming_at = listed.last_incoming_at, cv.first_closed_at = listed.first_closed_at,
        cv.assignee = listed.assignee, cv.team = listed.team, cv.assigned_at = listed.assigned_at,
        cv.labels = listed.labels, cv.priority = listed.priority, cv.subject = listed.subject,
        cv.attributes = listed.attributes, cv.pending_until = listed.pending_until,
        cv.on_receive = listed.on_receive, cv.awaiting_contact_since =
        listed.awaiting_contact_since, cv.address_channel = listed.address_channel,
        cv.address = listed.address, cv.marks = listed.marks, cv.deadline_at = listed.deadline_at,
        cv.due_at = listed.due_at, cv.applied = listed.applied, cv.unrated = listed.unrated,
        cv.active = listed.active, cv.number = listed.number, cv.opened_at = listed.opened_at,
        cv.opened_by_type = listed.opened_by_type, cv.opened_by_id = listed.opened_by_id,
        cv.opened_source = listed.opened_source, cv.first_assigned_at = listed.first_assigned_at,
        cv.first_assignee = listed.first_assignee, cv.last_assignee = listed.last_assignee,
        cv.last_team = listed.last_team, cv.first_response_at = listed.first_response_at,
        cv.first_response_sent_at = listed.first_response_sent_at,
        cv.first_responder_type = listed.first_responder_type,
        cv.first_responder_id = listed.first_responder_id,
        cv.first_waiting_since = listed.first_waiting_since,
        cv.waiting_since = listed.waiting_since, cv.turn_since = listed.turn_since,
        cv.handed_over_at = listed.handed_over_at, cv.no_wait_before = listed.no_wait_before,
        cv.responses = listed.responses, cv.response_micros = listed.response_micros,
        cv.pending_micros = listed.pending_micros, cv.incoming = listed.incoming,
        cv.outgoing_user = listed.outgoing_user, cv.outgoing_automation =
        listed.outgoing_automation, cv.rated_at = listed.rated_at, cv.score = listed.score,
        cv.rating_comment = listed.rating_comment, cv.closed_at = listed.closed_at,
        cv.closed_by_type = listed.closed_by_type, cv.closed_by_id = listed.closed_by_id,
        cv.closed_source = listed.closed_source, cv.category = listed.category,
        cv.summary = listed.summary;
-- parameters: 1 ?

DELETE ac FROM JSON_TABLE(?, '$[*]' COLUMNS(workspace VARBINARY(255) PATH '$.workspace',
    id VARBINARY(36) PATH '$.id')) listed
    STRAIGHT_JOIN convo_active ac FORCE INDEX (PRIMARY)
    ON ac.workspace = listed.workspace AND ac.id = UNHEX(REPLACE(listed.id, '-', ''));
-- parameters: 1 ?

UPDATE JSON_TABLE(?, '$[*]' COLUMNS(workspace VARBINARY(255) PATH '$.workspace',
    id VARBINARY(36) PATH '$.id', status VARBINARY(255) PATH '$.status',
    channel VARBINARY(255) PATH '$.channel', lane VARBINARY(255) PATH '$.lane',
    assignee VARBINARY(255) PATH '$.assignee', team VARBINARY(255) PATH '$.team',
    priority INT PATH '$.priority', due_at BIGINT PATH '$.due_at')) listed
    STRAIGHT_JOIN convo_active ac FORCE INDEX (PRIMARY)
    ON ac.workspace = listed.workspace AND ac.id = UNHEX(REPLACE(listed.id, '-', ''))
    SET ac.status = listed.status, ac.channel = listed.channel, ac.lane = listed.lane,
        ac.assignee = listed.assignee, ac.team = listed.team, ac.priority = listed.priority,
        ac.due_at = listed.due_at;
-- parameters: 1 ?

DELETE pl FROM JSON_TABLE(?, '$[*]' COLUMNS(workspace VARBINARY(255) PATH '$.workspace',
    list INT PATH '$.list', at BIGINT PATH '$.at', id VARBINARY(36) PATH '$.id')) listed
    STRAIGHT_JOIN convo_places pl FORCE INDEX (PRIMARY)
    ON pl.workspace = listed.workspace AND pl.list = listed.list AND pl.at = listed.at AND pl.id =
        UNHEX(REPLACE(listed.id, '-', ''));
-- parameters: 1 ?

INSERT INTO convo_events (workspace, conversation, seq, id, contact, contact_seq, kind, at,
    by_type, by_id, source, channel, lane, address, external_id, sent_at, body, attachments,
    category, summary, until_at, on_receive, marks, cycle, score, replaces, assignee, team,
    response, quiet, new_contact, restart_flow, message, redacted, duplicate, notice, audience,
    status_before, assignee_before, team_before, lane_before, channel_before, opened_source,
    status_since, assigned_at, was_assigned, opened_at, turn, turn_since, waiting_since,
    handed_over_at, replies, pending_micros, closed_by_type, closed_by_id, moved_from, from_seq,
    labels, labels_before, priority, priority_before, subject, attributes)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 conversation, 3 seq, 4 id, 5 contact, 6 contact_seq, 7 kind, 8 at,
-- 9 by_type, 10 by_id, 11 source, 12 channel, 13 lane, 14 address, 15 external_id, 16 sent_at,
-- 17 body, 18 attachments, 19 category, 20 summary, 21 until_at, 22 on_receive, 23 marks, 24 cycle,
-- 25 score, 26 replaces, 27 assignee, 28 team, 29 response, 30 quiet, 31 new_contact,
-- 32 restart_flow, 33 message, 34 redacted, 35 duplicate, 36 notice, 37 audience, 38 status_before,
-- 39 assignee_before, 40 team_before, 41 lane_before, 42 channel_before, 43 opened_source,
-- 44 status_since, 45 assigned_at, 46 was_assigned, 47 opened_at, 48 turn, 49 turn_since,
-- 50 waiting_since, 51 handed_over_at, 52 replies, 53 pending_micros, 54 closed_by_type,
-- 55 closed_by_id, 56 moved_from, 57 from_seq, 58 labels, 59 labels_before, 60 priority,
-- 61 priority_before, 62 subject, 63 attributes, 64 ?, 65 ?, 66 ?, 67 ?, 68 ?, 69 ?, 70 ?, 71 ?,
-- 72 ?, 73 ?, 74 ?, 75 ?, 76 ?, 77 ?, 78 ?, 79 ?, 80 ?, 81 ?, 82 ?, 83 ?, 84 ?, 85 ?, 86 ?, 87 ?,
-- 88 ?, 89 ?, 90 ?, 91 ?, 92 ?, 93 ?, 94 ?, 95 ?, 96 ?, 97 ?, 98 ?, 99 ?, 100 ?, 101 ?, 102 ?,
-- 103 ?, 104 ?, 105 ?, 106 ?, 107 ?, 108 ?, 109 ?, 110 ?, 111 ?, 112 ?, 113 ?, 114 ?, 115 ?, 116 ?,
-- 117 ?, 118 ?, 119 ?, 120 ?, 121 ?, 122 ?, 123 ?, 124 ?, 125 ?, 126 ?, 127 ?, 128 ?, 129 ?, 130 ?,
-- 131 ?, 132 ?, 133 ?, 134 ?, 135 ?, 136 ?, 137 ?, 138 ?, 139 ?, 140 ?, 141 ?, 142 ?, 143 ?, 144 ?,
-- 145 ?, 146 ?, 147 ?, 148 ?, 149 ?, 150 ?, 151 ?, 152 ?, 153 ?, 154 ?, 155 ?, 156 ?, 157 ?, 158 ?,
-- 159 ?, 160 ?, 161 ?, 162 ?, 163 ?, 164 ?, 165 ?, 166 ?, 167 ?, 168 ?, 169 ?, 170 ?, 171 ?, 172 ?,
-- 173 ?, 174 ?, 175 ?, 176 ?, 177 ?, 178 ?, 179 ?, 180 ?, 181 ?, 182 ?, 183 ?, 184 ?, 185 ?, 186 ?,
-- 187 ?, 188 ?, 189 ?, 190 ?, 191 ?, 192 ?, 193 ?, 194 ?, 195 ?, 196 ?, 197 ?, 198 ?, 199 ?, 200 ?,
-- 201 ?, 202 ?, 203 ?, 204 ?, 205 ?, 206 ?, 207 ?, 208 ?, 209 ?, 210 ?, 211 ?, 212 ?, 213 ?, 214 ?,
-- 215 ?, 216 ?, 217 ?, 218 ?, 219 ?, 220 ?, 221 ?, 222 ?, 223 ?, 224 ?, 225 ?, 226 ?, 227 ?, 228 ?,
-- 229 ?, 230 ?, 231 ?, 232 ?, 233 ?, 234 ?, 235 ?, 236 ?, 237 ?, 238 ?, 239 ?, 240 ?, 241 ?, 242 ?,
-- 243 ?, 244 ?, 245 ?, 246 ?, 247 ?, 248 ?, 249 ?, 250 ?, 251 ?, 252 ?, 253 ?, 254 ?, 255 ?, 256 ?,
-- 257 ?, 258 ?, 259 ?, 260 ?, 261 ?, 262 ?, 263 ?, 264 ?, 265 ?, 266 ?, 267 ?, 268 ?, 269 ?, 270 ?,
-- 271 ?, 272 ?, 273 ?, 274 ?, 275 ?, 276 ?, 277 ?, 278 ?, 279 ?, 280 ?, 281 ?, 282 ?, 283 ?, 284 ?,
-- 285 ?, 286 ?, 287 ?, 288 ?, 289 ?, 290 ?, 291 ?, 292 ?, 293 ?, 294 ?, 295 ?, 296 ?, 297 ?, 298 ?,
-- 299 ?, 300 ?, 301 ?, 302 ?, 303 ?, 304 ?, 305 ?, 306 ?, 307 ?, 308 ?, 309 ?, 310 ?, 311 ?, 312 ?,
-- 313 ?, 314 ?, 315 ?, 316 ?, 317 ?, 318 ?, 319 ?, 320 ?, 321 ?, 322 ?, 323 ?, 324 ?, 325 ?, 326 ?,
-- 327 ?, 328 ?, 329 ?, 330 ?, 331 ?, 332 ?, 333 ?, 334 ?, 335 ?, 336 ?, 337 ?, 338 ?, 339 ?, 340 ?,
-- 341 ?, 342 ?, 343 ?, 344 ?, 345 ?, 346 ?, 347 ?, 348 ?, 349 ?, 350 ?, 351 ?, 352 ?, 353 ?, 354 ?,
-- 355 ?, 356 ?, 357 ?, 358 ?, 359 ?, 360 ?, 361 ?, 362 ?, 363 ?, 364 ?, 365 ?, 366 ?, 367 ?, 368 ?,
-- 369 ?, 370 ?, 371 ?, 372 ?, 373 ?, 374 ?, 375 ?, 376 ?, 377 ?, 378 ?, 379 ?, 380 ?, 381 ?, 382 ?,
-- 383 ?, 384 ?, 385 ?, 386 ?, 387 ?, 388 ?, 389 ?, 390 ?, 391 ?, 392 ?, 393 ?, 394 ?, 395 ?, 396 ?,
-- 397 ?, 398 ?, 399 ?, 400 ?, 401 ?, 402 ?, 403 ?, 404 ?, 405 ?, 406 ?, 407 ?, 408 ?, 409 ?, 410 ?,
-- 411 ?, 412 ?, 413 ?, 414 ?, 415 ?, 416 ?, 417 ?, 418 ?, 419 ?, 420 ?, 421 ?, 422 ?, 423 ?, 424 ?,
-- 425 ?, 426 ?, 427 ?, 428 ?, 429 ?, 430 ?, 431 ?, 432 ?, 433 ?, 434 ?, 435 ?, 436 ?, 437 ?, 438 ?,
-- 439 ?, 440 ?, 441 ?, 442 ?, 443 ?, 444 ?, 445 ?, 446 ?, 447 ?, 448 ?, 449 ?, 450 ?, 451 ?, 452 ?,
-- 453 ?, 454 ?, 455 ?, 456 ?, 457 ?, 458 ?, 459 ?, 460 ?, 461 ?, 462 ?, 463 ?, 464 ?, 465 ?, 466 ?,
-- 467 ?, 468 ?, 469 ?, 470 ?, 471 ?, 472 ?, 473 ?, 474 ?, 475 ?, 476 ?, 477 ?, 478 ?, 479 ?, 480 ?,
-- 481 ?, 482 ?, 483 ?, 484 ?, 485 ?, 486 ?, 487 ?, 488 ?, 489 ?, 490 ?, 491 ?, 492 ?, 493 ?, 494 ?,
-- 495 ?, 496 ?, 497 ?, 498 ?, 499 ?, 500 ?, 501 ?, 502 ?, 503 ?, 504 ?

INSERT INTO convo_cycles (workspace, conversation, channel, lane, number, opened_at,
    opened_by_type, opened_by_id, opened_source, first_assigned_at, first_assignee, last_assignee,
    last_team, first_response_at, first_response_sent_at, first_responder_type, first_responder_id,
    first_waiting_since, waiting_since, turn_since, handed_over_at, no_wait_before, responses,
    response_micros, pending_micros, incoming, outgoing_user, outgoing_automation, rated_at, score,
    rating_comment, closed_at, closed_by_type, closed_by_id, closed_source, category, summary)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?), (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
        ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?);
-- parameters: 1 workspace, 2 conversation, 3 channel, 4 lane, 5 number, 6 opened_at,
-- 7 opened_by_type, 8 opened_by_id, 9 opened_source, 10 first_assigned_at, 11 first_assignee,
-- 12 last_assignee, 13 last_team, 14 first_response_at, 15 first_response_sent_at,
-- 16 first_responder_type, 17 first_responder_id, 18 first_waiting_since, 19 waiting_since,
-- 20 turn_since, 21 handed_over_at, 22 no_wait_before, 23 responses, 24 response_micros,
-- 25 pending_micros, 26 incoming, 27 outgoing_user, 28 outgoing_automation, 29 rated_at, 30 score,
-- 31 rating_comment, 32 closed_at, 33 closed_by_type, 34 closed_by_id, 35 closed_source,
-- 36 category, 37 summary, 38 ?, 39 ?, 40 ?, 41 ?, 42 ?, 43 ?, 44 ?, 45 ?, 46 ?, 47 ?, 48 ?, 49 ?,
-- 50 ?, 51 ?, 52 ?, 53 ?, 54 ?, 55 ?, 56 ?, 57 ?, 58 ?, 59 ?, 60 ?, 61 ?, 62 ?, 63 ?, 64 ?, 65 ?,
-- 66 ?, 67 ?, 68 ?, 69 ?, 70 ?, 71 ?, 72 ?, 73 ?, 74 ?, 75 ?, 76 ?, 77 ?, 78 ?, 79 ?, 80 ?, 81 ?,
-- 82 ?, 83 ?, 84 ?, 85 ?, 86 ?, 87 ?, 88 ?, 89 ?, 90 ?, 91 ?, 92 ?, 93 ?, 94 ?, 95 ?, 96 ?, 97 ?,
-- 98 ?, 99 ?, 100 ?, 101 ?, 102 ?, 103 ?, 104 ?, 105 ?, 106 ?, 107 ?, 108 ?, 109 ?, 110 ?, 111 ?

INSERT INTO convo_rollup_queue (workspace, conversation, from_seq)
    VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?,
        ?) ON DUPLICATE KEY UPDATE from_seq = from_seq;
-- parameters: 1 workspace, 2 conversation, 3 from_seq, 4 ?, 5 ?, 6 ?, 7 ?, 8 ?, 9 ?, 10 ?, 11 ?,
-- 12 ?, 13 ?, 14 ?, 15 ?

COMMIT;
