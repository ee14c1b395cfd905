// Makes cdk.json, a dashboard that others synthesise: npm install aws-cdk-lib constructs && node cdk.js > cdk.json
const cdk = require('aws-cdk-lib');
const cw = require('aws-cdk-lib/aws-cloudwatch');
const app = new cdk.App();
const stack = new cdk.Stack(app, 'S', {env: {account: '123456789012', region: 'us-east-1'}});
const d = new cw.Dashboard(stack, 'D', {dashboardName: 'cdk', start: '-P14D', periodOverride: cw.PeriodOverride.INHERIT,
  variables: [new cw.DashboardVariable({id: 'region', type: cw.VariableType.PROPERTY, label: 'Region', inputType: cw.VariableInputType.RADIO, value: 'region', values: cw.Values.fromValues({label: 'Virginia', value: 'us-east-1'}), defaultValue: cw.DefaultValue.value('us-east-1'), visible: true})]});
const dims = {ClusterName: 'prod', ServiceName: 'web'};
const cpu = new cw.Metric({namespace: 'AWS/ECS', metricName: 'CPUUtilization', dimensionsMap: dims, statistic: 'Average', period: cdk.Duration.minutes(5)});
const alarm = new cw.Alarm(stack, 'A', {metric: cpu, threshold: 85, evaluationPeriods: 5});
d.addWidgets(new cw.TextWidget({markdown: '# Plan', width: 24, height: 3, background: cw.TextWidgetBackground.TRANSPARENT}));
d.addWidgets(new cw.GraphWidget({title: 'CPU', width: 12, height: 6, left: [cpu, cpu.with({statistic: 'Maximum', label: 'hottest task', color: '#1f77b4'}), new cw.MathExpression({expression: 'ANOMALY_DETECTION_BAND(m1, 2)', usingMetrics: {m1: cpu}, label: 'expected'})],
  right: [cpu.with({statistic: 'SampleCount'})],
  leftAnnotations: [{value: 60, label: 'target', color: '#2ca02c', fill: cw.Shading.BELOW}], leftYAxis: {min: 0, max: 100, label: '%', showUnits: false},
  verticalAnnotations: [{date: '2026-03-01T00:00:00Z', label: 'plan applied'}],
  legendPosition: cw.LegendPosition.BOTTOM, liveData: true, period: cdk.Duration.minutes(5), start: '-P7D', end: 'P0D'}),
  new cw.SingleValueWidget({title: 'budget', metrics: [cpu], setPeriodToTimeRange: true, fullPrecision: true, width: 6, start: '-P30D'}),
  new cw.GaugeWidget({title: 'g', metrics: [cpu], leftYAxis: {min: 0, max: 100}, width: 6}));
d.addWidgets(new cw.AlarmStatusWidget({title: 'Alarms', alarms: [alarm], width: 24, height: 3, sortBy: cw.AlarmStatusWidgetSortBy.STATE_UPDATED_TIMESTAMP, states: [cw.AlarmState.ALARM]}),
  new cw.AlarmWidget({title: 'one', alarm, width: 6}), new cw.LogQueryWidget({logGroupNames: ['/g'], view: cw.LogQueryVisualizationType.TABLE, queryLines: ['fields @message'], width: 6}), new cw.TableWidget({title: 't', metrics: [cpu], width: 12}));
const out = app.synth().getStackByName('S').template;
const body = Object.values(out.Resources).find(r => r.Type === 'AWS::CloudWatch::Dashboard').Properties.DashboardBody;
const text = typeof body === 'string' ? body : body['Fn::Join'][1].map(p => typeof p === 'string' ? p : p.Ref === 'AWS::Region' ? 'us-east-1' : 'arn:aws:cloudwatch:us-east-1:123456789012:alarm:A').join('');
console.log(JSON.stringify(JSON.parse(text), null, 1));
