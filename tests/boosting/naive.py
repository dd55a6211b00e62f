"""Boosting said again in plain Python, one token and one stream at a time, as it was published."""

import math


class NaiveTree:
    """Phrases as tuples of tokens; a state is the tuple of tokens that were matched."""

    def __init__(self, phrases, boost=1.0, depth_scaling=2.0):
        self.worth, self.sum, self.ends = {}, {(): 0.0}, set()
        self.boost = boost
        for tokens, weight in phrases:
            for depth in range(len(tokens)):
                node = tuple(tokens[: depth + 1])
                if node in self.worth:
                    self.worth[node] = max(weight, self.worth[node])
                else:
                    later = weight * depth_scaling + math.log(depth + 1)
                    self.worth[node] = later if depth else weight
                self.sum[node] = self.sum[node[:-1]] + self.worth[node]
            if tokens:
                self.ends.add(tuple(tokens))

    def fail(self, node):
        for begin in range(1, len(node) + 1):
            if node[begin:] in self.sum:
                return node[begin:]
        raise AssertionError(node)

    def look(self, node, token):
        """What a token is raised by, and the state after it."""
        given = 0.0
        while (*node, token) not in self.worth:
            if node == ():
                return self.boost * given, ()
            if node not in self.ends:
                given += self.sum[self.fail(node)] - self.sum[node]
            node = self.fail(node)
        following = (*node, token)
        return self.boost * (given + self.worth[following]), following

    def refund(self, node):
        """What a token is lowered by that begins no phrase and goes on with none."""
        return self.look(node, object())[0]
