#include "actors/tables.h"
#include "actors/agent.h"
#include "actors/campaign.h"
#include "actors/desk_int.h"

const struct fsm_def *const actor_tables[ACTOR_TABLES] = {
    &attempt_fsm, &row_fsm, &campaign_fsm, &agent_fsm, &leg_fsm, &desk_fsm, &mute_fsm};
