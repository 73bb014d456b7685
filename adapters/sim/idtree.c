#include "adapters/sim/idtree.h"

#include <string.h>
#include <strings.h>

static uint32_t next_rank(struct idtree *tree)
{
    uint32_t x = tree->seed != 0 ? tree->seed : 0x9e3779b9u;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    tree->seed = x;
    return x;
}

// Splits `from` into keys below `key` and keys above it.
static void split(struct idnode *from, const char *key, struct idnode **below,
                  struct idnode **above)
{
    while (from != NULL) {
        if (strcasecmp(from->key, key) < 0) {
            *below = from;
            below = &from->right;
            from = from->right;
        } else {
            *above = from;
            above = &from->left;
            from = from->left;
        }
    }
    *below = NULL;
    *above = NULL;
}

static struct idnode *join(struct idnode *below, struct idnode *above)
{
    struct idnode *root = NULL;
    struct idnode **at = &root;
    while (below != NULL && above != NULL) {
        if (below->rank > above->rank) {
            *at = below;
            at = &below->right;
            below = below->right;
        } else {
            *at = above;
            at = &above->left;
            above = above->left;
        }
    }
    *at = below != NULL ? below : above;
    return root;
}

void idtree_insert(struct idtree *tree, struct idnode *node)
{
    node->rank = next_rank(tree);
    struct idnode **at = &tree->root;
    while (*at != NULL && (*at)->rank >= node->rank)
        at = strcasecmp((*at)->key, node->key) < 0 ? &(*at)->right : &(*at)->left;
    struct idnode *rest = *at;
    *at = node;
    split(rest, node->key, &node->left, &node->right);
    tree->count++;
}

void idtree_remove(struct idtree *tree, struct idnode *node)
{
    struct idnode **at = &tree->root;
    while (*at != NULL && *at != node)
        at = strcasecmp((*at)->key, node->key) < 0 ? &(*at)->right : &(*at)->left;
    if (*at == NULL)
        return;
    *at = join(node->left, node->right);
    node->left = node->right = NULL;
    tree->count--;
}

struct idnode *idtree_find(const struct idtree *tree, const char *key)
{
    struct idnode *at = tree->root;
    while (at != NULL) {
        int order = strcasecmp(key, at->key);
        if (order == 0)
            return at;
        at = order < 0 ? at->left : at->right;
    }
    return NULL;
}

struct idnode *idtree_prefixed(const struct idtree *tree, const char *text)
{
    size_t len = strlen(text);
    struct idnode *best = NULL;
    for (struct idnode *at = tree->root; at != NULL;) {
        if (strcasecmp(at->key, text) < 0) {
            at = at->right;
        } else {
            best = at;
            at = at->left;
        }
    }
    return best != NULL && strncasecmp(best->key, text, len) == 0 ? best : NULL;
}
