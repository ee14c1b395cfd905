"""The way into an AWS account that every AWS source shares: one door, which asks patiently, counts and translates.

door         one region as one set of credentials sees it: every call goes through it
complaints   what AWS complains of, as our errors, with what to do
ecs          `discover`: what runs, as `EcsService`s
starter      what runs -> a first capacity.toml
compute_optimizer   what AWS itself would change
policies     the least rights that each command needs
survey       looking around: what may be missing, and several calls at once
running      what ECS says of clusters, services, task definitions and tasks
around       load balancers, zones, autoscaling and quotas
facts        one service as AWS describes it, in our words
"""

from capacity.sources.aws.door import Door

__all__ = ["Door"]
