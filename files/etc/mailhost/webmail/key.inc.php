<?php
$config['des_key'] = '{{key}}';
